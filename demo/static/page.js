// A sentence in the place of a result, or below what was asked for.
window.serMessage = (text) => {
  const card = Object.assign(document.createElement("div"), { className: "ser-card ser-message ser-denied" });
  card.setAttribute("role", "alert");
  card.append(Object.assign(document.createElement("p"), { textContent: text }));
  return card;
};

(() => {
  // Gradio turns away files by their type alone, recordings in WebM (a "video") among them, and with a
  // list of types for an answer. Labelled as audio they reach the server, which looks inside and explains.
  const asAudio = (files) => {
    const labelled = new DataTransfer();
    for (const file of files)
      labelled.items.add(file.type.startsWith("audio/") ? file : new File([file], file.name, { type: "audio/unknown" }));
    return labelled.files;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches(".ser-audio input[type=file]")) event.target.files = asAudio(event.target.files);
  }, true);
  document.addEventListener("drop", (event) => {
    const input = event.target.closest?.(".ser-audio")?.querySelector("input[type=file]");
    if (!input || !event.dataTransfer.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);

  // Elsewhere the browser would leave the page to show the file.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => {
    if (event.dataTransfer?.types.includes("Files") && !event.target.matches?.("input[type=file]")) event.preventDefault();
  });

  // Gradio's button that adds files to a list has a button inside and no name that can be read.
  new MutationObserver(() => {
    for (const button of document.querySelectorAll("button[aria-label='common.upload']")) {
      button.setAttribute("role", "group");
      button.setAttribute("tabindex", "-1");
      button.ariaLabel = button.title = "Add files";
    }
    // What is wider than the page in a document scrolls by itself, and the keyboard has to reach it.
    for (const wide of document.querySelectorAll(":is(.ser-prose table, .ser-prose pre):not([tabindex])")) wide.tabIndex = 0;
  }).observe(document, { childList: true, subtree: true });

  const sort = (button) => {
    const head = button.closest("th"), rows = head.closest("table").tBodies[0];
    const place = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute("aria-sort") === "ascending";
    const text = (row) => row.cells[place].textContent;
    const compare = (one, other) => text(one).localeCompare(text(other), undefined, { numeric: true });
    rows.append(...[...rows.rows].sort((one, other) => (down ? -1 : 1) * compare(one, other)));
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".ser-more")) document.querySelector("#ser-tabs [data-tab-id=about]")?.click();
    const button = event.target.closest?.(".ser-sort");
    if (button) sort(button);
  });
})();
