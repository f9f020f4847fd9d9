// Show and hide what is typed in a password field. It is hidden again before the form goes out, so that
// no browser offers to remember it as ordinary text.
for (const button of document.querySelectorAll("button[data-show]")) {
  const field = document.getElementById(button.dataset.show);
  const word = button.firstChild;
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    word.textContent = shown ? "Hide" : "Show";
  };
  button.hidden = false;
  button.addEventListener("click", () => set(field.type === "password"));
  field.form?.addEventListener("submit", () => set(false));
}
