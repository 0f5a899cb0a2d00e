// Tabs: arrow keys move between them, and the address names the open one, so that Back and Reload lead where one expects.
(() => {
  const tabs = () => [...document.querySelectorAll("#ser-tabs [role=tablist] [role=tab][data-tab-id]")];
  const isOpen = (tab) => tab.getAttribute("aria-selected") === "true";
  const follow = () => {
    const wanted = location.hash.slice(1), all = tabs();
    const tab = all.find((each) => each.dataset.tabId === wanted) ?? all[0];
    if (tab && !isOpen(tab)) tab.click();
  };

  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.("#ser-tabs [role=tab][data-tab-id]");
    if (!tab) return;
    const id = tab.dataset.tabId, first = tabs()[0] === tab;
    if (location.hash.slice(1) !== id && !(first && !location.hash))
      history.pushState(null, "", `${location.pathname}${location.search}#${id}`);
    document.dispatchEvent(new CustomEvent("ser-tab", { detail: id }));
  });

  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("#ser-tabs [role=tab]"), all = tabs(), place = all.indexOf(tab);
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: all.length - 1 }[event.key];
    if (place < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    next.click();
  });

  addEventListener("popstate", follow);
  // A click before Gradio listens is lost.
  const starting = setInterval(() => {
    follow();
    if (tabs().some((tab) => isOpen(tab) && [tab.dataset.tabId, ""].includes(location.hash.slice(1)))) clearInterval(starting);
  }, 50);
})();
