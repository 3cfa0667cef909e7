"use strict";
const page = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
let current = page.start || 0;

// Colours: as many different hues as there are series, lightness by theme.
const FIXED = [55, 245, 150, 320];
function colour(k, of) {
  if (k < 0) return "var(--soft)";
  const hue = of <= 4 ? FIXED[k % 4] : (40 + (360 * k) / of) % 360;
  const shift = of <= 4 ? 0 : k % 2 ? 0.07 : -0.04;
  return `oklch(calc(var(--l) + ${shift}) 0.145 ${hue.toFixed(0)})`;
}

function element(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function show(text, x, y) {
  tip.textContent = text;
  tip.style.visibility = "visible";
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(6, Math.min(x - box.width / 2, innerWidth - box.width - 6))}px`;
  tip.style.top = `${y - box.height - 12 > 4 ? y - box.height - 12 : y + 18}px`;
}
const hide = () => (tip.style.visibility = "hidden");

function format(value, unit) {
  if (unit === "%") return `${+(100 * value).toPrecision(4)} %`;
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : `${+value.toPrecision(3)}`;
}

function round(low, high, count) {
  const raw = (high - low) / count, base = 10 ** Math.floor(Math.log10(raw));
  const step = base * [1, 2, 5, 10].find((k) => k * base >= raw * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k <= high / step + 1e-9; k++)
    ticks.push(+(k * step).toPrecision(10));
  return ticks;
}

function decades(low, high, room) {
  const all = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
    all.push(...[1, 2, 5].map((k) => k * 10 ** e));
  const inside = all.filter((v) => v >= low && v <= high);
  return inside.length > room + 2 ? inside.filter((v) => /^10*$/.test(`${v}`)) : inside;
}

// Values of a mark along one axis; rectangles have two.
function values(mark, axis) {
  if (mark.kind === "rule") return axis === 0 ? mark.points.map((p) => p[0]) : [];
  if (mark.kind === "bars") return mark.points.flatMap((p) => [p[2 * axis], p[2 * axis + 1]]);
  if (mark.kind === "band" || mark.kind === "whiskers") return mark.points.flatMap((p) => (axis ? [p[1], p[2]] : [p[0]]));
  return mark.points.map((p) => p[axis]);
}

function scale(spec, marks, axis, from, to, room) {
  let [low, high] = spec.limits || [Infinity, -Infinity];
  if (!spec.limits) {
    for (const mark of marks)
      for (const v of values(mark, axis)) [low, high] = [Math.min(low, v), Math.max(high, v)];
    if (spec.zero) low = Math.min(0, low);
    const pad = high > low ? 0.06 * (high - low) : Math.abs(high) * 0.05 || 1;
    if (spec.log) [low, high] = high > low
      ? [low / (high / low) ** 0.06, high * (high / low) ** 0.06] : [low / 1.2, high * 1.2];
    else [low, high] = [spec.zero && low === 0 ? 0 : low - pad, high + pad];
  }
  const f = spec.log ? Math.log : (v) => v;
  const at = (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from);
  const chosen = spec.log ? decades(low, high, room) : round(low, high, room);
  const ticks = spec.ticks || chosen.map((v) => [v, format(v, spec.unit)]);
  return { at, ticks: ticks.filter(([v]) => v >= low - 1e-9 && v <= high + 1e-9), low, high };
}

function draw(host, spec) {
  host.replaceChildren();
  if (!spec) {
    host.textContent = "This design was not simulated. Choose another one above.";
    return;
  }
  const width = Math.max(280, host.clientWidth), height = spec.height, off = host.off || new Set();
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img" });
  host.append(svg);
  const marks = spec.marks;
  const probe = scale(spec.y, marks, 1, 0, 1, Math.max(3, height / 60));
  const longest = Math.max(...probe.ticks.map(([, t]) => t.length));
  const left = Math.min(width * 0.42, 14 + 6.8 * longest), top = spec.y.label ? 30 : 12;
  const bottom = height - 44, right = width - 12;
  const x = scale(spec.x, marks, 0, left, right, Math.max(4, (right - left) / 80));
  const y = scale(spec.y, marks, 1, bottom, top, Math.max(3, height / 60));
  let last = -1e9;
  const ticks = [...x.ticks].sort((a, b) => b[0] - a[0]).reverse();
  for (const [v, text] of ticks) {
    const px = x.at(v), half = 3.6 * text.length + 5;
    element("line", { x1: px, x2: px, y1: top, y2: bottom, stroke: "var(--grid)" }, svg);
    if (px - half < last) continue;
    last = px + half;
    const anchor = px + half > width ? "end" : "middle";
    element("text", { x: anchor === "end" ? width - 2 : px, y: bottom + 18, "text-anchor": anchor },
      svg, text);
  }
  const plain = spec.y.limits && spec.y.ticks;
  for (const [v, text] of y.ticks) {
    const py = y.at(v);
    if (!plain) element("line",
      { x1: left, x2: right, y1: py, y2: py, stroke: v === 0 ? "var(--line)" : "var(--grid)" }, svg);
    const fit = Math.floor((left - 12) / 6.4);
    element("text", { x: left - 8, y: py + 4, "text-anchor": "end" }, svg,
      text.length > fit + 1 ? text.slice(0, fit) + "…" : text);
  }
  element("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle", class: "label" },
    svg, spec.x.label);
  element("text", { x: 4, y: 15, class: "label" }, svg, spec.y.label);
  const clip = `clip-${hosts.indexOf(host)}`, area = element("clipPath", { id: clip }, svg);
  element("rect", { x: left - 7, y: top - 7, width: right - left + 14, height: bottom - top + 14 }, area);
  const targets = [], placed = [];
  for (const mark of marks) {
    const faded = mark.name && off.has(mark.name);
    const paint = colour(mark.colour, mark.of);
    const group = element("g", { opacity: faded ? 0.08 : 1, "clip-path": `url(#${clip})` }, svg);
    const path = (points) => points.map(([a, b], k) => `${k ? "L" : "M"}${a.toFixed(1)},${b.toFixed(1)}`).join("");
    if (mark.kind === "line" || mark.kind === "steps") {
      let points = mark.points.map((p) => [x.at(p[0]), y.at(p[1])]);
      if (mark.kind === "steps")
        points = points.flatMap((p, k) => (k ? [[p[0], points[k - 1][1]], p] : [p]));
      element("path", { d: path(points), fill: "none", stroke: paint, "stroke-width": 1.8,
        "stroke-linejoin": "round", "stroke-dasharray": mark.dash ? "2 4" : "none" }, group);
    } else if (mark.kind === "band") {
      const there = mark.points.map((p) => [x.at(p[0]), y.at(p[1])]);
      const back = mark.points.map((p) => [x.at(p[0]), y.at(p[2])]).reverse();
      element("path", { d: path([...there, ...back]) + "Z", fill: paint, opacity: 0.2 }, group);
    } else if (mark.kind === "whiskers") {
      for (const p of mark.points)
        element("line", { x1: x.at(p[0]), x2: x.at(p[0]), y1: y.at(p[1]), y2: y.at(p[2]),
          stroke: paint, "stroke-width": 1.5 }, group);
    } else if (mark.kind === "rule") {
      for (const p of mark.points)
        element("line", { x1: x.at(p[0]), x2: x.at(p[0]), y1: top, y2: bottom, stroke: paint,
          "stroke-dasharray": "4 3" }, group);
    } else if (mark.kind === "bars") {
      for (const p of mark.points) {
        const a = x.at(p[0]), b = x.at(p[1]), c = y.at(p[3]), d = y.at(p[2]);
        element("rect", { x: a, y: c, width: Math.max(1, b - a), height: Math.max(1, d - c),
          fill: paint, rx: Math.min(3, (b - a) / 4) }, group);
        if (p[5]) {
          const inside = b + 8 + 7 * p[5].length > width;
          element("text", { x: inside ? b - 6 : b + 6, y: (c + d) / 2 + 4, "text-anchor": inside ? "end" : "start",
            style: `fill: var(--${inside ? "paper" : "ink"})` }, group, p[5]);
        }
        if (!faded) targets.push({ text: p[4], box: [a, c, b, d] });
      }
    } else {
      const ring = mark.kind === "rings", many = mark.points.length > 60;
      const r = ring ? 4.6 : many ? 2 : mark.points.length > 12 ? 2.8 : 4.5;
      for (const p of mark.points) {
        const cx = x.at(p[0]), cy = y.at(p[1]);
        element("circle", { cx, cy, r, fill: ring ? "none" : paint, stroke: ring ? paint : "none",
          "stroke-width": 1.3 }, group);
        if (p[3] && mark.points.length <= 12) {
          const long = 8 * p[3].length + 8, end = cx + 9 + long > width, from = end ? cx - 9 - long : cx + 9;
          const below = placed.some(([u, v]) => Math.abs(v - cy) < 14 && Math.abs(u - from) < long);
          placed.push([from, cy]);
          element("text", { x: end ? cx - 9 : cx + 9, y: cy + (below ? 18 : -8),
            "text-anchor": end ? "end" : "start", style: "fill: var(--ink); font-weight: 600" }, group, p[3]);
        }
        if (p[2] && !faded) targets.push({ text: p[2], at: [cx, cy] });
      }
    }
    if (mark.kind === "line" && !faded)
      for (const p of mark.points) if (p[2]) targets.push({ text: p[2], at: [x.at(p[0]), y.at(p[1])] });
  }
  hover(svg, targets, width);
  legend(host, spec, off);
}

function hover(svg, targets, width) {
  const halo = element("circle", { r: 7, fill: "none", stroke: "var(--ink)", "stroke-width": 1.5,
    visibility: "hidden" }, svg);
  const leave = () => { hide(); halo.setAttribute("visibility", "hidden"); };
  svg.addEventListener("pointerleave", leave);
  const look = (event) => {
    const box = svg.getBoundingClientRect(), zoom = box.width / width;
    const px = (event.clientX - box.left) / zoom, py = (event.clientY - box.top) / zoom;
    let best = null, least = 28;
    for (const t of targets) {
      const d = t.at ? Math.hypot(t.at[0] - px, t.at[1] - py)
        : Math.hypot(Math.max(t.box[0] - px, 0, px - t.box[2]), Math.max(t.box[1] - py, 0, py - t.box[3]));
      if (d < least) [best, least] = [t, d];
    }
    if (!best) return leave();
    const at = best.at || [Math.min(best.box[2], Math.max(best.box[0], px)), best.box[1]];
    show(best.text, box.left + at[0] * zoom, box.top + at[1] * zoom);
    if (!best.at) return halo.setAttribute("visibility", "hidden");
    for (const [key, v] of [["cx", at[0]], ["cy", at[1]], ["visibility", "visible"]]) halo.setAttribute(key, v);
  };
  svg.addEventListener("pointermove", look);
  svg.addEventListener("pointerdown", look);
}

function legend(host, spec, off) {
  const names = new Map();
  for (const mark of spec.marks)
    if (mark.name && !names.has(mark.name)) names.set(mark.name, mark);
  if (names.size < 2) return;
  const list = document.createElement("div");
  list.className = "legend";
  for (const [name, mark] of names) {
    const button = document.createElement("button"), dot = document.createElement("i");
    const paint = colour(mark.colour, mark.of);
    dot.style.background = dot.style.borderColor = paint;
    dot.classList.toggle("ring", mark.kind === "rings");
    button.classList.toggle("off", off.has(name));
    button.append(dot, name);
    button.addEventListener("click", () => {
      const others = [...names.keys()].filter((n) => n !== name);
      const alone = !off.has(name) && others.every((n) => off.has(n));
      host.off = new Set(alone ? [] : others);
      draw(host, spec);
    });
    list.append(button);
  }
  host.append(list);
}

function chart(host) {
  const chosen = host.dataset.tab || host.dataset.chart;
  return page.charts[chosen] || (page.rows[current] && page.rows[current].charts[chosen]);
}
const hosts = [...document.querySelectorAll(".chart")];
const all = () => hosts.forEach((host) => draw(host, chart(host)));

function press(buttons, chosen) {
  buttons.forEach((b, k) => b.setAttribute("aria-pressed", k === chosen));
}
function choose(k) {
  current = k;
  press([...document.querySelectorAll("[data-row]")], k);
  for (const [key, text] of Object.entries(page.rows[k].figures))
    document.querySelectorAll(`[data-figure=${key}]`).forEach((e) => (e.innerHTML = text));
  all();
}
document.querySelectorAll("[data-row]").forEach((b, k) => b.addEventListener("click", () => choose(k)));
document.querySelectorAll("figure").forEach((figure) => {
  const buttons = [...figure.querySelectorAll("[data-choice]")], host = figure.querySelector(".chart");
  buttons.forEach((b, k) => b.addEventListener("click", () => {
    host.dataset.tab = b.dataset.choice;
    host.off = new Set();
    press(buttons, k);
    draw(host, chart(host));
  }));
});
document.querySelectorAll("[data-tip]").forEach((e) => {
  const open = () => {
    const box = e.getBoundingClientRect();
    show(e.dataset.tip, box.left + box.width / 2, box.top);
  };
  e.addEventListener("pointerenter", open);
  e.addEventListener("focus", open);
  e.addEventListener("pointerleave", hide);
  e.addEventListener("blur", hide);
});
addEventListener("scroll", hide, { passive: true });
let wide = 0;
new ResizeObserver(() => {
  if (document.body.clientWidth === wide) return;
  wide = document.body.clientWidth;
  all();
}).observe(document.body);
if (page.rows.length) choose(current); else all();
