// Clips that outlive a reload of the page: their addresses on the server, kept for this browser tab alone.
window.serClips = {
  keep: (name, clip) => {
    try {
      if (clip) sessionStorage.setItem(`ser-clip-${name}`, JSON.stringify(clip));
      else sessionStorage.removeItem(`ser-clip-${name}`);
    } catch { /* the browser stores nothing: the clip does not outlive a reload */ }
  },
  // The clip, unless the server has deleted it since, or the visitor has given another one while that was asked.
  kept: async (name) => {
    try {
      const stored = () => sessionStorage.getItem(`ser-clip-${name}`);
      const before = stored(), clip = JSON.parse(before);
      const lies = clip !== null && (await fetch(clip.url, { method: "HEAD" })).ok;
      if (stored() !== before) return JSON.parse(stored());
      return lies ? clip : null;
    } catch {
      return null;
    }
  },
};
