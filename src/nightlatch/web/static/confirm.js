// A form is sent once: a second press while the answer is on its way does nothing.
// Forms with data-again (downloads) may be sent as often as wanted.
const PATIENCE = 8000; // ms, after which a lost answer may be asked for again

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || "again" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter ?? form.querySelector("button:not([type=button])");
  button?.setAttribute("aria-disabled", "true");
  setTimeout(() => release(form), PATIENCE);
});

// Back from the browser's memory: everything can be pressed again.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

function release(form) {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
}
