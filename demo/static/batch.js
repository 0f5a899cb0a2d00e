// Batch: plays the file of a row, and takes a folder whose name may be the true label of what lies in it.
(() => {
  const play = (button) => {
    const player = button.closest(".ser-batch").querySelector("audio");
    player.hidden = false;
    player.src = new URL(`gradio_api/file=${button.dataset.path.split("/").map(encodeURIComponent).join("/")}`, document.baseURI);
    player.play().catch(() => {}); // the player itself shows that it cannot
    for (const other of document.querySelectorAll(".ser-play-file[aria-current]")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
  };

  // An upload carries no folders, so that the folder's name goes before the file's.
  const addFolder = () => {
    const input = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true });
    input.addEventListener("change", () => {
      const named = new DataTransfer();
      for (const file of input.files) {
        const [name, folder] = file.webkitRelativePath.split("/").reverse();
        if (!name.startsWith(".")) named.items.add(new File([file], `${folder} - ${name}`, { type: file.type }));
      }
      const target = document.querySelector("#ser-files input[type=file]");
      target.files = named.files;
      target.dispatchEvent(new Event("change", { bubbles: true }));
    });
    input.click();
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".ser-play-file, #ser-folder");
    if (button) (button.id === "ser-folder" ? addFolder : play)(button);
  });
})();
