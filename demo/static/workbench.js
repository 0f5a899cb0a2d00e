// The workbench: one recording on one time axis. wavesurfer.js draws the waveform, scrolls, plays and selects parts;
// lanes.js draws what lies below; the server predicts parts and writes the files.
(() => {
  const READABLE = 40, CLOSEST = 800; // pixels a second: at which segments can be read, and at most
  const SHORTEST = 0.1; // seconds of a part that is predicted
  const clock = window.serClock;

  const post = async (name, data) => {
    const answer = await fetch(new URL(`gradio_api/run/${name}`, document.baseURI), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error ?? body.detail ?? "The server does not answer. Try again in a moment.");
    return body.data;
  };

  const save = (text, name) => {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([text])) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  class Workbench {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("template").content.textContent);
      this.segments = this.data.timeline.segments;
      this.predicted = this.segments.map((segment) => ({ ...segment }));
      this.duration = this.data.timeline.duration;
      this.chosen = null;
      this.asked = 0;
      this.regions = WaveSurfer.Regions.create();
      this.surfer = this.wave();
      this.lanes = window.serLanes(this.surfer, this.data, (number) => this.play(number));
      this.segments.forEach((segment, number) => this.lanes.name(number, segment.emotion, this.colours(segment.emotion)));
      this.watch();
    }

    at(selector) { return this.root.querySelector(selector); }
    colours(label) { return this.data.colours[label] ?? this.data.otherColour; }
    trouble(text) { this.at(".ser-trouble").hidden = !text; this.at(".ser-trouble").textContent = text; }

    wave() {
      const path = this.root.dataset.path.split("/").map(encodeURIComponent).join("/"), ink = getComputedStyle(this.root).color;
      return WaveSurfer.create({
        container: this.at(".ser-wave"), height: 72, cursorWidth: 2, cursorColor: "#d55e00", autoCenter: false,
        waveColor: ink, progressColor: ink, minPxPerSec: this.duration > 30 ? READABLE : 0,
        url: new URL(`gradio_api/file=${path}`, document.baseURI).href, duration: this.duration,
        peaks: this.data.peaks.map((side) => Float32Array.from(window.serBytes(side), (value) => value / 255)),
        plugins: [this.regions, WaveSurfer.Hover.create({ lineColor: ink, labelBackground: "#333", labelColor: "#fff", formatTimeCallback: (s) => clock(s, 2) })],
      });
    }

    watch() {
      const { surfer, regions } = this;
      surfer.on("error", () => this.trouble(this.root.dataset.unplayable));
      surfer.on("play", () => this.playing(true));
      surfer.on("pause", () => this.playing(false));
      surfer.on("timeupdate", (time) => { this.at(".ser-time").textContent = clock(time); });
      surfer.on("scroll", () => this.overview());
      surfer.on("redrawcomplete", () => this.overview());
      regions.enableDragSelection({ color: "rgb(213 94 0 / 0.14)", minLength: SHORTEST });
      regions.on("region-created", (region) => this.select(region));
      regions.on("region-updated", (region) => this.select(region));
      regions.on("region-clicked", (region, event) => { event.stopPropagation(); region.play(true); });
      this.root.addEventListener("click", (event) => this.click(event));
      this.at(".ser-other input").addEventListener("change", ({ target }) => this.rename(target.value));
      this.at(".ser-wave").addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    }

    click(event) {
      const { tool, label, step, format, segment } = event.target.closest("button")?.dataset ?? {};
      if (tool === "play") this.surfer.playPause();
      else if (tool === "in") this.zoom(2);
      else if (tool === "out") this.zoom(0.5);
      else if (tool === "whole") this.zoom(0);
      else if (tool === "predict") this.selectSegment();
      else if (label !== undefined) this.rename(label);
      else if (step) this.play(this.chosen + Number(step));
      else if (segment) this.play(Number(segment));
      else if (format) this.download(format);
      else if (event.target.closest(".ser-overview")) this.go(event);
    }

    playing(on) { this.at("[data-tool=play]").textContent = on ? "❚❚ Pause" : "▶ Play"; }

    // Zooms by a factor, 0 for the whole recording, around a place in the seen part: its middle, or where the pointer is.
    zoom(factor, place = this.surfer.getWidth() / 2) {
      const now = this.surfer.getWrapper().clientWidth / this.duration, least = this.surfer.getWidth() / this.duration;
      const time = (this.surfer.getScroll() + place) / now, next = Math.min(CLOSEST, Math.max(least, now * factor));
      this.surfer.zoom(next > least ? next : 0);
      this.surfer.setScroll(time * next - place);
    }

    wheel(event) {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 200), event.clientX - this.at(".ser-wave").getBoundingClientRect().left);
    }

    // The picture of the whole recording: a frame around what is seen, and a click that goes there.
    overview() {
      const frame = this.at(".ser-seen");
      if (!frame) return;
      const total = this.surfer.getWrapper().clientWidth, width = this.surfer.getWidth();
      frame.hidden = total <= width + 1;
      Object.assign(frame.style, { left: `${100 * this.surfer.getScroll() / total}%`, width: `${100 * width / total}%` });
    }

    go(event) {
      const box = this.at(".ser-overview").getBoundingClientRect(), time = (event.clientX - box.left) / box.width * this.duration;
      this.surfer.setTime(time);
      this.show(time);
    }

    show(time) {
      const scale = this.surfer.getWrapper().clientWidth / this.duration;
      this.surfer.setScroll(time * scale - this.surfer.getWidth() / 3);
    }

    play(number) {
      const segment = this.segments[number];
      if (!segment) return;
      this.chosen = number;
      this.lanes.choose(number);
      this.describe();
      const scale = this.surfer.getWrapper().clientWidth / this.duration, left = this.surfer.getScroll();
      if (segment.start * scale < left || segment.end * scale > left + this.surfer.getWidth()) this.show(segment.start);
      this.trouble("");
      this.surfer.play(segment.start, segment.end).catch((error) => { if (error.name !== "AbortError") this.trouble(this.root.dataset.unplayable); });
    }

    describe() {
      const number = this.chosen, segment = this.segments[number], before = this.predicted[number];
      this.at(".ser-segment-hint").hidden = true;
      this.at(".ser-segment-chosen").hidden = false;
      this.at(".ser-segment-title").textContent = `Segment ${number + 1} of ${this.segments.length}, ${clock(segment.start)} to ${clock(segment.end)}`;
      this.at(".ser-predicted").textContent = `Predicted: ${before.emotion}, ${Math.round(100 * before.probability)} %${before.unsure ? ", unsure" : ""}`;
      this.at("[data-step='-1']").disabled = number === 0;
      this.at("[data-step='1']").disabled = number === this.segments.length - 1;
      const choices = [...this.root.querySelectorAll(".ser-choice")];
      for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.label === segment.emotion));
      this.at(".ser-other input").value = choices.some((choice) => choice.dataset.label === segment.emotion) ? "" : segment.emotion;
      for (const button of this.root.querySelectorAll(".ser-play[aria-current]")) button.removeAttribute("aria-current");
      this.row(number).setAttribute("aria-current", "true");
    }

    row(number) { return this.at(`.ser-play[data-segment="${number}"]`); }

    // A label of the visitor's has no probability; the predicted one, taken back, has its own again.
    rename(text) {
      const number = this.chosen, segment = this.segments[number], before = this.predicted[number], label = text.trim() || before.emotion;
      Object.assign(segment, label === before.emotion ? before : { emotion: label, probability: null, unsure: false });
      this.lanes.name(number, label, this.colours(label));
      const button = this.row(number), cells = button.closest("tr").cells, swatch = cells[3].firstElementChild;
      button.setAttribute("aria-label", `Play ${label}, ${segment.start.toFixed(1)} to ${segment.end.toFixed(1)} seconds`);
      swatch.textContent = label;
      swatch.style.setProperty("--emotion", this.colours(label)[0]);
      if (swatch.nextElementSibling) swatch.nextElementSibling.hidden = !segment.unsure;
      cells[4].textContent = segment.probability === null ? "corrected" : `${Math.round(100 * segment.probability)} %`;
      const count = this.segments.filter(({ probability }) => probability === null).length;
      this.at(".ser-corrected").textContent = count ? `${count} label${count > 1 ? "s" : ""} corrected` : "";
      this.describe();
    }

    selectSegment() {
      const { start, end } = this.segments[this.chosen];
      this.regions.addRegion({ start, end, color: "rgb(213 94 0 / 0.14)", minLength: SHORTEST });
    }

    // Predicts a part alone, as if the rest of the recording did not exist.
    async select(region) {
      for (const other of this.regions.getRegions()) if (other !== region) other.remove();
      const asked = ++this.asked, place = this.at(".ser-part"), { start, end } = region;
      const title = Object.assign(document.createElement("p"), { className: "ser-part-title", textContent: `${clock(start, 2)} to ${clock(end, 2)}` });
      place.replaceChildren(title, Object.assign(document.createElement("p"), { textContent: "Predicting …" }));
      this.lanes.part(null);
      try {
        const voice = this.data.voice ?? null;
        const file = { path: this.root.dataset.path, meta: { _type: "gradio.FileData" } };
        const [emotion, bars, { label, attention }] = await post("part", [file, start, end, voice]);
        if (asked !== this.asked) return;
        place.replaceChildren(title);
        place.insertAdjacentHTML("beforeend", emotion + bars); // cards of the server, which escapes what it is given
        if (attention && label) this.lanes.part({ start, end, ...attention, colour: this.colours(label)[0] });
      } catch (error) {
        if (asked === this.asked) place.replaceChildren(title, Object.assign(document.createElement("p"), { textContent: error.message }));
      }
    }

    async download(format) {
      this.trouble("");
      try {
        const [text] = await post("timeline_file", [this.data.timeline, format]);
        save(text, `${this.root.dataset.stem}.${format === "textgrid" ? "TextGrid" : format}`);
      } catch (error) {
        this.trouble(error.message);
      }
    }
  }

  const open = new Map();
  new MutationObserver(() => {
    for (const [root, bench] of open) if (!root.isConnected) { bench.surfer.destroy(); open.delete(root); }
    for (const root of document.querySelectorAll(".ser-workbench")) if (!open.has(root)) open.set(root, new Workbench(root));
  }).observe(document, { childList: true, subtree: true });
})();
