// Saves the tags of one streamer without loading the page, which would discard what is typed in the
// other forms of the page. Without scripts the form is sent as any other.
const monitored = document.getElementById("monitored");

// Before the listener of page.js, which is at the document.
monitored.addEventListener("submit", (event) => {
  if (!event.target.matches(".tags")) return;
  event.preventDefault();
  if (!event.target.elements.tags.readOnly) save(event.target); // else it is being saved
});

async function save(form) {
  const field = form.elements.tags;
  field.readOnly = true;
  const page = await send(form).catch(() => null);
  field.readOnly = false;
  const outcome = page?.getElementById("tags-outcome") ?? notSaved();
  document.getElementById("tags-outcome")?.remove();
  form.after(outcome);
  const isRefused = outcome.querySelector("#refused-tags") !== null;
  setAttribute(field, "aria-invalid", isRefused ? "true" : null);
  setAttribute(field, "aria-describedby", isRefused ? "refused-tags" : null);
  if (outcome.role === "status") showSaved(field, page.getElementById(form.id));
  else if (form.contains(document.activeElement)) field.focus();
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

// The page that answers the form.
async function send(form) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Show the tags in their order. `fresh` is null where the streamer matches the search no more.
function showSaved(field, fresh) {
  field.value = fresh?.elements.tags.value ?? field.value;
  field.defaultValue = field.value; // nothing that is typed is unsaved
}

function notSaved() {
  const outcome = document.createElement("div");
  outcome.id = "tags-outcome";
  outcome.className = "outcome";
  outcome.role = "alert";
  outcome.textContent = "Not saved: the server did not answer, or your session has ended.";
  return outcome;
}
