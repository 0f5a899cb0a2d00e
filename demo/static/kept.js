// Clips that outlive a reload of the page: their addresses on the server, kept for this browser tab alone.
window.serClips = {
  keep: (name, clip) => {
    try {
      if (clip) sessionStorage.setItem(`ser-clip-${name}`, JSON.stringify(clip));
      else sessionStorage.removeItem(`ser-clip-${name}`);
    } catch { /* the browser stores nothing: the clip does not outlive a reload */ }
  },
  // The clip, unless the server has deleted it since.
  kept: async (name) => {
    try {
      const clip = JSON.parse(sessionStorage.getItem(`ser-clip-${name}`));
      return clip && (await fetch(clip.url, { method: "HEAD" })).ok ? clip : null;
    } catch {
      return null;
    }
  },
};
