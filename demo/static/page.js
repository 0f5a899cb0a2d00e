(() => {
  // A browser's gain control, noise suppression and echo cancellation change the very loudness and
  // timbre that tell emotions apart, so every request for the microphone asks to leave them off.
  if (navigator.mediaDevices) {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const untouched = { autoGainControl: false, noiseSuppression: false, echoCancellation: false };
    navigator.mediaDevices.getUserMedia = (wish = {}) => {
      if (!wish.audio) return ask(wish);
      const audio = typeof wish.audio === "object" ? wish.audio : {};
      return ask({ ...wish, audio: { ...audio, ...untouched } });
    };
  }

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
    if (event.target.closest?.(".ser-more"))
      [...document.querySelectorAll("#ser-tabs [role=tab]")].find((tab) => tab.textContent.trim() === "About")?.click();
    const button = event.target.closest?.(".ser-sort");
    if (button) sort(button);
  });
})();
