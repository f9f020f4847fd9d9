// Copy buttons: <button data-copy="id of the element" data-said="The key is copied." hidden>. They are shown only
// where copying can work. The text is the element's data-text, or what stands in it.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const status = document.querySelector("[data-copy-status]");
  const say = (text) => { if (status) status.textContent = text; };
  say("");
  try {
    await navigator.clipboard.writeText(source.dataset.text ?? source.textContent.trim());
    say(button.dataset.said);
  } catch {
    getSelection().selectAllChildren(source);
    say("It could not be copied. It is selected now: copy it with the menu of your browser.");
  }
}
