// The demo world's authenticator app: computes the codes in the browser, RFC 6238 with SHA-1, 6 digits, 30 seconds,
// by the server's clock (data-now), so that a test clock counts too.
const STEP = 30;
const list = document.querySelector("[data-phone]");
if (list && crypto.subtle) run(Number(list.dataset.now) - Date.now() / 1000);

async function run(ahead) {
  const codes = [...list.querySelectorAll("[data-secret]")];
  const keys = await Promise.all(codes.map((place) => importKey(base32(place.dataset.secret))));
  const bar = document.querySelector("[data-bar]");
  const seconds = document.querySelector("[data-seconds]");
  let shown = -1;
  const tick = async () => {
    const now = Date.now() / 1000 + ahead;
    const step = Math.floor(now / STEP);
    const left = STEP - Math.floor(now % STEP);
    bar.value = left;
    seconds.textContent = left;
    if (step === shown) return;
    shown = step;
    for (const [index, place] of codes.entries()) {
      const code = await codeAt(keys[index], step);
      place.textContent = code.slice(0, 3) + " " + code.slice(3);
    }
  };
  await tick();
  setInterval(tick, 500);
}

function importKey(bytes) {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
}

async function codeAt(key, step) {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter.buffer));
  const number = mac.getUint32(mac.getUint8(19) & 15) & 0x7fffffff;
  return String(number % 1e6).padStart(6, "0");
}

function base32(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = 0, value = 0;
  const bytes = [];
  for (const letter of text.toUpperCase().replace(/[\s=-]/g, "")) {
    value = (value << 5) | alphabet.indexOf(letter);
    bits += 5;
    if (bits >= 8) bytes.push((value >>> (bits -= 8)) & 255);
    value &= (1 << bits) - 1;
  }
  return new Uint8Array(bytes);
}
