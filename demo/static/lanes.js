// The lanes below the waveform of a workbench: spectrogram with pitch, attention, time axis and segments.
// They lie in the scrolled element of wavesurfer.js, whose cursor and selected parts therefore run over all of them.
// One canvas as wide as what is seen draws the seen time alone, so that it is sharp at every zoom.
(() => {
  const SPECTROGRAM = 120, ATTENTION = 40, AXIS = 20, SEGMENTS = 34; // heights in pixels
  const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600]; // seconds
  const STYLE = `
    .lane-canvas { position: sticky !important; left: 0; display: block; image-rendering: auto !important; }
    .lane-segments { position: relative; height: ${SEGMENTS}px; z-index: 6; }
    .lane-segments button { position: absolute; top: 2px; height: ${SEGMENTS - 4}px; padding: 0 2px; box-sizing: border-box;
      border: 1px solid rgb(0 0 0 / 0.45); border-radius: 4px; font: inherit; font-size: 0.8rem; cursor: pointer;
      overflow: clip; white-space: nowrap; text-align: left; }
    .lane-segments span { position: sticky; left: 6px; padding: 0 4px; }
    .lane-segments button[aria-pressed="true"] { box-shadow: inset 0 0 0 3px rgb(0 0 0 / 0.75); font-weight: 700; }
    .lane-segments button:focus-visible { outline: 3px solid var(--color-accent); outline-offset: -3px; }`;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const clock = (seconds, digits = 1) => {
    const minutes = Math.floor(seconds / 60), rest = (seconds - 60 * minutes).toFixed(digits);
    return `${minutes}:${rest.padStart(digits ? digits + 3 : 2, "0")}`;
  };

  const pictures = ({ pictures: addresses }, drawn) => addresses.map((address) => {
    const picture = new Image();
    picture.onload = drawn;
    picture.src = address;
    return picture;
  });

  // The largest value of each pixel column: `values` are equal steps of the whole duration.
  const largest = (values, seen, x) => {
    const step = seen.duration / values.length, points = new Map();
    const last = Math.min(values.length - 1, Math.ceil(seen.end / step));
    for (let i = Math.max(0, Math.floor(seen.start / step)); i <= last; i++) {
      const place = Math.round(x((i + 0.5) * step));
      points.set(place, Math.max(points.get(place) ?? 0, values[i]));
    }
    return points;
  };

  const drawSpectrogram = (ctx, { tile, columns, seconds, marks }, tiles, x) => {
    const hop = seconds / columns;
    tiles.forEach((picture, i) => {
      if (!picture.complete || !picture.naturalWidth) return;
      const from = x((i * tile - 0.5) * hop), to = x((i * tile + picture.naturalWidth - 0.5) * hop);
      ctx.drawImage(picture, from, 0, to - from, SPECTROGRAM);
    });
    ctx.font = "11px system-ui, sans-serif";
    ctx.textAlign = "left";
    for (const [hertz, share] of Object.entries(marks)) label(ctx, `${hertz} Hz`, 4, SPECTROGRAM * (1 - share) + 4, "#fff");
  };

  const label = (ctx, text, x, y, colour) => {
    ctx.lineWidth = 3;
    ctx.strokeStyle = "rgb(0 0 0 / 0.7)";
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y);
  };

  const drawPitch = (ctx, values, [floor, ceiling], seen, x) => {
    const height = (hertz) => SPECTROGRAM * (1 - Math.log(hertz / floor) / Math.log(ceiling / floor));
    const line = new Path2D(), step = seen.duration / values.length;
    let before = null;
    for (const [place, hertz] of largest(values, seen, x)) {
      if (!hertz) { before = null; continue; }
      const joined = before && place - before[0] <= Math.max(2, 1.5 * (x(step) - x(0))) && Math.abs(Math.log2(hertz / before[1])) < 0.4;
      if (joined) line.lineTo(place, height(hertz)); else line.moveTo(place - 1, height(hertz));
      if (!joined) line.lineTo(place, height(hertz));
      before = [place, hertz];
    }
    ctx.lineJoin = "round";
    for (const [width, colour] of [[4.5, "rgb(0 0 0 / 0.65)"], [2, "#5ff2ff"]]) {
      ctx.lineWidth = width;
      ctx.strokeStyle = colour;
      ctx.stroke(line);
    }
    ctx.textAlign = "right";
    for (const hertz of [100, 200, 400]) label(ctx, `${hertz}`, seen.width - 4, height(hertz) + 4, "#5ff2ff");
  };

  const drawAttention = (ctx, points, bottom, ink) => {
    ctx.fillStyle = ink;
    let before = null;
    for (const [place, value] of points) {
      const height = (ATTENTION - 4) * value / 255;
      ctx.fillRect(before ?? place, bottom - height, Math.max(1, place - (before ?? place - 1)), height);
      before = place;
    }
  };

  const drawAxis = (ctx, seen, top, ink, x) => {
    const step = TICKS.find((tick) => x(tick) - x(0) >= 56) ?? TICKS.at(-1);
    ctx.fillStyle = ctx.strokeStyle = ink;
    ctx.lineWidth = 1;
    ctx.textAlign = "left";
    for (let tick = Math.ceil(seen.start / step); tick * step <= seen.end; tick++) {
      const place = Math.round(x(tick * step)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(place, top);
      ctx.lineTo(place, top + 6);
      ctx.stroke();
      const label = clock(tick * step, step < 1 ? 1 : 0);
      if (place + 3 + ctx.measureText(label).width <= x(seen.end)) ctx.fillText(label, place + 3, top + 14);
    }
  };

  // Adds the lanes to a wavesurfer: `choose(number)` is called with the segment that is clicked.
  window.serLanes = (surfer, data, choose) => {
    const home = document.createElement("div"), canvas = document.createElement("canvas");
    const strip = Object.assign(document.createElement("div"), { className: "lane-segments" });
    home.append(Object.assign(document.createElement("style"), { textContent: STYLE }), canvas, strip);
    canvas.className = "lane-canvas";
    surfer.getWrapper().append(home);
    const { duration, segments } = data.timeline;
    const hertz = new Uint16Array(bytes(data.pitch).buffer), weights = data.attention && bytes(data.attention);
    const attention = weights ? ATTENTION : 0, height = SPECTROGRAM + attention + AXIS;
    let part = null, waiting = 0;

    const draw = () => {
      const width = surfer.getWidth(), total = surfer.getWrapper().clientWidth, left = surfer.getScroll();
      if (!width || !total) return;
      const seen = { width, duration, start: left / total * duration, end: (left + width) / total * duration };
      const x = (seconds) => seconds / duration * total - left;
      const dense = window.devicePixelRatio || 1, ink = getComputedStyle(home).color;
      Object.assign(canvas, { width: width * dense, height: height * dense });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      const ctx = canvas.getContext("2d");
      ctx.scale(dense, dense);
      drawSpectrogram(ctx, data.spectrogram, tiles, x);
      drawPitch(ctx, hertz, data.pitchRange, seen, x);
      if (weights) drawAttention(ctx, largest(weights, seen, x), SPECTROGRAM + ATTENTION, `color-mix(in srgb, ${ink} 60%, transparent)`);
      if (part && weights) {
        ctx.clearRect(x(part.start), SPECTROGRAM, x(part.end) - x(part.start), ATTENTION);
        const most = Math.max(...part.weights);
        const points = part.times.map((time, i) => [Math.round(x(time)), 255 * part.weights[i] / most]);
        drawAttention(ctx, points, SPECTROGRAM + ATTENTION, part.colour);
      }
      drawAxis(ctx, seen, SPECTROGRAM + attention, ink, x);
    };
    const redraw = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(draw); };
    const tiles = pictures(data.spectrogram, redraw);
    for (const event of ["scroll", "zoom", "redrawcomplete", "resize"]) surfer.on(event, redraw);

    const buttons = segments.map((segment, number) => {
      const button = Object.assign(document.createElement("button"), { type: "button", tabIndex: number ? -1 : 0 });
      button.append(document.createElement("span"));
      Object.assign(button.style, { left: `${100 * segment.start / duration}%`, width: `${100 * (segment.end - segment.start) / duration}%` });
      button.addEventListener("click", (event) => { event.stopPropagation(); choose(number); });
      return button;
    });
    strip.append(...buttons);
    strip.addEventListener("keydown", (event) => {
      const to = buttons[buttons.indexOf(event.target) + ({ ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? NaN)];
      if (to) { event.preventDefault(); to.focus(); }
    });
    return {
      redraw,
      name(number, text, [colour, ink]) {
        const { start, end } = segments[number], button = buttons[number];
        button.firstChild.textContent = text;
        button.title = `${text}, ${clock(start)} to ${clock(end)}`;
        Object.assign(button.style, { background: colour, color: ink });
      },
      choose(number) {
        buttons.forEach((button, i) => { button.setAttribute("aria-pressed", String(i === number)); button.tabIndex = i === number ? 0 : -1; });
      },
      part(given) { part = given; redraw(); },
    };
  };
  window.serClock = clock;
  window.serBytes = bytes;
})();
