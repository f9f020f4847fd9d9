// Passkeys: asks our server what to ask the browser, the browser for the passkey, and sends its answer with the form.
// The bytes are converted here: some password managers break the browser's own toJSON().
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const REFRESH = 8 * 60_000; // ms: what the server asks is good for ten minutes
const SAID = {
  NotAllowedError: "No passkey was used. You can try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys do not work at this address.",
};
let waiting; // the browser's own list, under the e-mail field

async function ask(form) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(form.dataset.options, { method: "POST", headers, body: form.dataset.ask });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail);
  const known = (each) => ({ ...each, id: bytes(each.id) });
  const options = { ...found, challenge: bytes(found.challenge) };
  if (found.user) options.user = { ...found.user, id: bytes(found.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"]) if (found[list]) options[list] = found[list].map(known);
  return options;
}

function answered(form, credential) {
  const { id, type, response } = credential;
  const shown = { clientDataJSON: text(response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[part]) shown[part] = text(response[part]);
  if (response.attestationObject) {
    delete shown.authenticatorData;
    shown.transports = response.getTransports?.() ?? [];
  }
  form.elements.credential.value = JSON.stringify({ id, rawId: id, type, response: shown });
  form.requestSubmit();
}

async function use(form) {
  const said = form.querySelector("[data-said]");
  said.textContent = "";
  waiting?.abort();
  form.setAttribute("aria-busy", "true");
  try {
    const publicKey = await ask(form);
    answered(form, await navigator.credentials[form.dataset.passkey]({ publicKey }));
  } catch (error) {
    said.textContent = SAID[error.name] ?? (error.message || "That did not work. You can try again.");
  }
  form.removeAttribute("aria-busy");
}

// The browser offers its passkeys in the e-mail field, for as long as the page is open.
async function offer(form) {
  waiting?.abort();
  const { signal } = (waiting = new AbortController());
  const again = setTimeout(() => offer(form), REFRESH);
  signal.addEventListener("abort", () => clearTimeout(again));
  try {
    const publicKey = await ask(form);
    if (signal.aborted) return;
    answered(form, await navigator.credentials.get({ publicKey, mediation: "conditional", signal }));
  } catch (error) {
    if (error.name !== "AbortError") clearTimeout(again);
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!("PublicKeyCredential" in window)) continue;
  form.querySelector("[data-unable]").hidden = true;
  form.querySelector("button").hidden = false;
  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    if (!form.hasAttribute("aria-busy")) use(form);
  });
  const list = () => PublicKeyCredential.isConditionalMediationAvailable?.().then((yes) => yes && offer(form));
  if ("inField" in form.dataset) {
    list();
    addEventListener("pageshow", (event) => event.persisted && list());
  }
}

// Back from the browser's memory: an answer is good once.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const field of document.querySelectorAll("input[name=credential]")) field.value = "";
});

// What the account has: whatever else the person's devices still offer for it goes from their lists.
for (const { dataset } of document.querySelectorAll("[data-accepted]"))
  window.PublicKeyCredential?.signalAllAcceptedCredentials?.(JSON.parse(dataset.accepted)).catch(() => {});
