// Buttons add to the cart without leaving the page. Where there are no scripts they are plain forms.
const count = document.querySelector("#count");

for (const form of document.querySelectorAll("form.add")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      // The form's fields, the CSRF token among them.
      body: new URLSearchParams(new FormData(form)),
    });
    if (!answer.ok) {
      // The session has ended, or was replaced in another tab: a new page has a new token.
      location.reload();
      return;
    }
    const total = await answer.json();
    // Answers may overtake each other.
    count.textContent = Math.max(Number(count.textContent), total);
  });
}
