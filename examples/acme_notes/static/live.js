// The list of notes says what changes while it is open. Without this script, it says so at the next look.
const line = document.getElementById("live");
const address = new URL(line.dataset.live, location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";

let wait = 1000;

function connect() {
  const socket = new WebSocket(address);
  socket.onopen = () => { wait = 1000; document.body.dataset.live = "open"; };
  socket.onmessage = async (message) => {
    const change = JSON.parse(message.data);
    line.textContent = `${change.by} ${change.what} “${change.title}”.`;
    await refresh();
  };
  socket.onclose = (event) => {
    document.body.dataset.live = String(event.code);
    if (event.code === 4401 || event.code === 4403) {
      line.textContent = "You are no longer connected: reload the page.";
      return;
    }
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 60000);
  };
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("notes");
  if (fresh) document.getElementById("notes").replaceWith(fresh);
}

connect();
