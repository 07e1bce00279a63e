const api = document.querySelector("meta[name=api]").content;
const element = (id) => document.getElementById(id);

// The API's last answer brought it; the next request that changes something sends it back.
let token = "";

async function call(path, body) {
  const request = { credentials: "include" }; // with the session's cookie, across origins
  if (body !== undefined) {
    request.method = "POST";
    request.headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
    request.body = JSON.stringify(body);
  }
  const answer = await fetch(api + path, request);
  const state = await answer.json();
  if (!answer.ok) throw new Error(state.error);
  token = state.csrf;
  return state;
}

// Text is set as text, never as HTML.
function show({ user, notes }) {
  element("error").hidden = true;
  element("login").hidden = user !== null;
  element("user").hidden = user === null;
  element("name").textContent = user ?? "";
  element("notes").replaceChildren(
    ...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })),
  );
}

async function run(path, body) {
  try {
    show(await call(path, body));
  } catch (error) {
    // Signed out or in elsewhere, perhaps: with a new state comes a new token.
    show(await call("/state"));
    element("error").textContent = error.message;
    element("error").hidden = false;
  }
}

for (const [id, path] of [["login", "/login"], ["add", "/notes"]]) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    run(path, Object.fromEntries(new FormData(event.target)));
    event.target.reset();
  });
}
element("logout").addEventListener("click", () => run("/logout", {}));
run("/state");
