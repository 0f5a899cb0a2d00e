// An answer: saved as a picture or as data, shared, opened on another tab; and a playhead over its picture.
(() => {
  const INK = "#1e293b", PALE = "#64748b", WIDTH = 1200, HEIGHT = 675, LEFT = 64;
  const SOFT = "A voice's acted emotion, not what a person feels.";
  const at = (selector) => document.querySelector(selector);
  const text = (selector) => at(selector)?.textContent.trim() ?? "";
  const stem = (clip) => (clip?.orig_name ?? "clip").replace(/\.[^.]*$/, "");

  const write = (draw, words, x, y, font, colour = INK, most = WIDTH - LEFT - x) => {
    draw.font = `${font} system-ui, sans-serif`;
    draw.fillStyle = colour;
    draw.fillText(words, x, y, most);
  };

  const bars = (draw, probabilities, colours) => {
    const ranked = Object.entries(probabilities).sort((one, other) => other[1] - one[1]).slice(0, 8);
    ranked.forEach(([label, share], place) => {
      const y = 330 + 34 * place;
      write(draw, label, LEFT, y + 16, `${place ? 400 : 700} 20px`);
      draw.fillStyle = "#e2e8f0";
      draw.fillRect(LEFT + 130, y, 360, 20);
      draw.fillStyle = colours[label] ?? PALE;
      draw.fillRect(LEFT + 130, y, Math.max(2, 360 * share), 20);
      write(draw, `${Math.round(100 * share)} %`, LEFT + 505, y + 16, `${place ? 400 : 700} 20px`);
    });
  };

  const attention = (draw, { times, weights }, duration, colour) => {
    const left = 700, width = WIDTH - LEFT - left, bottom = 580, height = 240, most = Math.max(...weights, 1e-12);
    write(draw, "Attention over time", left, 316, "600 20px");
    draw.beginPath();
    draw.moveTo(left, bottom);
    times.forEach((time, place) => draw.lineTo(left + (width * time) / duration, bottom - (height * weights[place]) / most));
    draw.lineTo(left + width, bottom);
    draw.fillStyle = colour;
    draw.fill();
    draw.strokeStyle = INK;
    draw.stroke();
    write(draw, `0 s`, left, bottom + 24, "400 16px", PALE);
    write(draw, `${duration.toFixed(1)} s`, WIDTH - LEFT - 50, bottom + 24, "400 16px", PALE);
  };

  // The card that is saved: what the page says, on white, whatever the page looks like.
  const picture = (data) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    const draw = canvas.getContext("2d"), card = at("#ser-emotion .ser-emotion");
    const colour = getComputedStyle(card).getPropertyValue("--emotion");
    const colours = Object.fromEntries([...document.querySelectorAll("#ser-bars .ser-bar")].map((bar) =>
      [bar.dataset.label, getComputedStyle(bar).getPropertyValue("--emotion")]));
    draw.fillStyle = "#ffffff";
    draw.fillRect(0, 0, WIDTH, HEIGHT);
    draw.fillStyle = data.label ? colour : "#cbd5e1";
    draw.fillRect(0, 0, 20, HEIGHT);
    write(draw, text("#ser-emotion .ser-lead"), LEFT, 76, "400 24px", PALE);
    write(draw, text("#ser-emotion .ser-label"), LEFT, 158, "750 76px");
    write(draw, text("#ser-emotion .ser-confidence").replace(/\s+/g, " "), LEFT, 212, "500 30px");
    write(draw, text("#ser-emotion .ser-confidence ~ p") || data.remark, LEFT, 258, "400 22px", PALE);
    if (data.label) bars(draw, data.probabilities, colours);
    if (data.label && data.attention) attention(draw, data.attention, data.duration, colour);
    write(draw, `${SOFT} ${document.title}, ${location.host}`, LEFT, HEIGHT - 28, "400 18px", PALE);
    return new Promise((made) => canvas.toBlob(made, "image/png"));
  };

  const save = (blob, name) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  window.serAnswer = {
    picture: async (data, clip) => { if (data) save(await picture(data), `${stem(clip)} emotion.png`); },
    json: (data, clip) => {
      if (data) save(new Blob([JSON.stringify(data, null, 1)], { type: "application/json" }), `${stem(clip)} emotion.json`);
    },
    share: async (data, clip) => {
      if (!data) return;
      const file = new File([await picture(data)], `${stem(clip)} emotion.png`, { type: "image/png" });
      try { await navigator.share({ files: [file], title: document.title }); } catch { /* the visitor thought better of it */ }
    },
    // Starts what a tab does with its clip, once what it does with another one has been cancelled.
    start: async (id) => {
      const button = () => document.getElementById(id);
      document.getElementById(`${id}-cancel`).click();
      for (let tries = 0; tries < 200 && button().disabled; tries++) await new Promise((go) => setTimeout(go, 50));
      button().click();
    },
    // Hands the clip on to another tab, which is opened.
    open: (tab, clip) => { at(`#ser-tabs [data-tab-id=${tab}]`).click(); return clip; },
  };

  // A new answer is told to screen readers, and on a phone scrolled into sight.
  let shown = null;
  const tell = () => {
    const card = at("#ser-emotion .ser-emotion");
    if (card === shown) return;
    shown = card;
    const said = at("#ser-said"), box = card?.getBoundingClientRect();
    if (said) said.textContent = card ? [...card.querySelectorAll(":scope > p")].map((part) => part.innerText).join(". ") : "";
    if (box?.height && innerWidth <= 640 && (box.top < 0 || box.bottom > innerHeight))
      card.scrollIntoView({ block: box.height > innerHeight ? "start" : "nearest", behavior: "smooth" });
  };
  new MutationObserver(tell).observe(document, { childList: true, subtree: true });

  // Sharing is offered where the browser can share a picture.
  const sample = new File([""], "a.png", { type: "image/png" });
  if (navigator.canShare?.({ files: [sample] })) document.documentElement.classList.add("ser-can-share");

  // The playhead follows the player of the clip, and a click on the picture plays from there.
  const player = () => at("#ser-audio #waveform > div")?.shadowRoot;
  setInterval(() => {
    const cursor = at(".ser-played") && player()?.querySelector("[part~=cursor]");
    const share = cursor ? parseFloat(cursor.style.left) / 100 : 0;
    for (const head of document.querySelectorAll(".ser-playhead")) {
      const { from, to } = head.parentNode.dataset;
      head.hidden = !(share > 0);
      head.style.left = `${100 * (Number(from) + (to - from) * share)}%`;
    }
  }, 40);
  document.addEventListener("click", (event) => {
    const drawn = event.target.closest?.(".ser-played [data-from]"), wave = player()?.querySelector("[part~=wrapper]");
    if (!drawn || !wave) return;
    const box = drawn.getBoundingClientRect(), from = Number(drawn.dataset.from), to = Number(drawn.dataset.to);
    const share = Math.max(0, Math.min(0.999, ((event.clientX - box.left) / box.width - from) / (to - from)));
    const lane = wave.getBoundingClientRect();
    wave.dispatchEvent(new MouseEvent("click", { clientX: lane.left + share * lane.width, clientY: lane.top + 1, bubbles: true }));
    at("#ser-audio button[aria-label=Play]")?.click();
  });
})();
