// The code field sends its form by itself when exactly six digits arrive at once, pasted or filled in by the
// browser or a password manager. It never does so on typing: that would be a change nobody asked for.
const six = (text) => {
  const bare = text.replace(/[\s\u2010-\u2015-]/g, "");
  return /^\p{Nd}{6}$/u.test(bare) ? bare : null;
};

for (const field of document.querySelectorAll("input[data-otp]")) {
  let before = field.value;
  field.addEventListener("paste", (event) => {
    const code = six(event.clipboardData?.getData("text") ?? "");
    if (!code) return; // whatever it is, it goes in as usual and the person sees it
    event.preventDefault();
    send(field, code);
  });
  field.addEventListener("input", (event) => {
    const arrived = field.value.length - before.length;
    before = field.value;
    const typed = event.inputType?.startsWith("delete") || event.isComposing || arrived < 6;
    const code = six(field.value);
    if (!typed && code) send(field, code);
  });
}

function send(field, code) {
  field.value = code;
  field.form.requestSubmit();
}
