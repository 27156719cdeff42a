"""A graph as one HTML file that needs nothing else: zoom, pan, fold, a look at values on hover."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tgrad.display.graph_picture import MOST_BOXES, picture
from tgrad.display.graph_svg import STYLE, draw
from tgrad.runtime.graphs import Graph

PAGE_STYLE = """
html, body { margin: 0; height: 100%; overflow: hidden; background: #ffffff; color: #1a1a1a; }
body { font: 13px system-ui, sans-serif; display: flex; flex-direction: column; }
header { padding: 6px 10px; border-bottom: 1px solid #cccccc; }
button { font: inherit; margin-right: 4px; }
main { flex: 1; overflow: hidden; position: relative; }
main svg { position: absolute; inset: 0; width: 100%; height: 100%; cursor: grab; touch-action: none; }
svg.hidden, .gone { display: none; }
.node { cursor: pointer; }
.node:focus { outline: none; }
.node:focus .box, .node:hover .box { stroke-width: 3; }
.closed .box { stroke-dasharray: 4 3; }
.near { stroke-width: 2.6; }
#look { position: absolute; right: 10px; top: 10px; max-width: 46ch; padding: 8px 10px; display: none;
  background: #ffffffee; border: 1px solid #888888; border-radius: 4px; white-space: pre-wrap;
  overflow-wrap: anywhere; font: 12px ui-monospace, monospace; pointer-events: none; }
@media (prefers-color-scheme: dark) {
html, body { background: #16181c; color: #ededed; }
#look { background: #16181cee; }
}
"""

SCRIPT = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const look = document.getElementById("look");
const pictures = Array.from(document.querySelectorAll("svg.graph"));
let shown = pictures[0];

function number(x) { return typeof x === "number" ? String(Number(x.toPrecision(4))) : String(x); }
function numbers(title, found) {
  if (!found) return [];
  const more = found.count > found.first.length ? ", ..." : "";
  const lines = [title + ": " + found.first.join(", ") + more];
  if (found.min !== null)
    lines.push("  from " + number(found.min) + " to " + number(found.max) + ", mean " + number(found.mean));
  return lines;
}
function about(node) {
  const lines = [node.operator + (node.names.length ? "  " + node.names.join(", ") : "")];
  if (node.label) lines.push(node.label);
  if (node.shape) lines.push(node.dtype + "[" + node.shape.join(", ") + "]");
  if (node.source) lines.push(node.file + ":" + node.line + "  " + node.source);
  for (const each of node.saved)
    lines.push("saved " + each.name + ": " + each.value + (each.bytes ? ", " + each.bytes + " bytes" : ""));
  if (node.freed) lines.push("what it saved is freed");
  lines.push(...numbers("value", node.value), ...numbers("gradient", node.gradient));
  if (node.gradient_norm !== null) lines.push("gradient norm: " + number(node.gradient_norm));
  return lines.join("\n");
}

function start(svg) {
  const home = svg.getAttribute("viewBox").split(" ").map(Number);
  const view = { box: home.slice(), home, closed: new Set() };
  svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
  const nodes = Array.from(svg.querySelectorAll(".node"));
  const arrows = Array.from(svg.querySelectorAll(".arrow"));
  const inputs = new Map(nodes.map(n => [n.dataset.box, []]));
  for (const a of arrows)
    if (!a.classList.contains("back")) inputs.get(a.dataset.to).push(a.dataset.from);
  const roots = nodes.filter(n => n.classList.contains("root")).map(n => n.dataset.box);
  view.apply = () => svg.setAttribute("viewBox", view.box.join(" "));
  view.zoom = (factor, fx, fy) => {
    const [x, y, w, h] = view.box;
    view.box = [x + w * fx * (1 - factor), y + h * fy * (1 - factor), w * factor, h * factor];
    view.apply();
  };
  view.fold = () => {
    const seen = new Set(roots), waiting = roots.slice();
    while (waiting.length) {
      const box = waiting.pop();
      if (view.closed.has(box)) continue;
      for (const each of inputs.get(box)) if (!seen.has(each)) { seen.add(each); waiting.push(each); }
    }
    for (const n of nodes) {
      n.classList.toggle("gone", !seen.has(n.dataset.box));
      n.classList.toggle("closed", view.closed.has(n.dataset.box));
    }
    for (const a of arrows) {
      const visible = seen.has(a.dataset.from) && seen.has(a.dataset.to) && !view.closed.has(a.dataset.to);
      a.classList.toggle("gone", !visible);
    }
  };
  const show = n => {
    look.textContent = about(data.nodes[Number(n.dataset.node)]);
    look.style.display = "block";
    for (const a of arrows)
      a.classList.toggle("near", a.dataset.from === n.dataset.box || a.dataset.to === n.dataset.box);
  };
  const hide = () => {
    look.style.display = "none";
    for (const a of arrows) a.classList.remove("near");
  };
  const toggle = n => {
    const box = n.dataset.box;
    if (!inputs.get(box).length) return;
    if (!view.closed.delete(box)) view.closed.add(box);
    view.fold();
  };
  let from = null, moved = false;
  for (const n of nodes) {
    n.setAttribute("tabindex", "0");
    n.addEventListener("pointerenter", () => show(n));
    n.addEventListener("pointerleave", hide);
    n.addEventListener("focus", () => show(n));
    n.addEventListener("blur", hide);
    n.addEventListener("click", () => { if (!moved) toggle(n); });
    n.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") toggle(n); });
  }
  svg.addEventListener("wheel", e => {
    e.preventDefault();
    const r = svg.getBoundingClientRect();
    const f = Math.exp(Math.max(-1, Math.min(1, e.deltaY / 300)));
    view.zoom(f, (e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height);
  }, { passive: false });
  svg.addEventListener("pointerdown", e => { from = [e.clientX, e.clientY, ...view.box]; moved = false; });
  window.addEventListener("pointermove", e => {
    if (!from || svg !== shown) return;
    const r = svg.getBoundingClientRect();
    const scale = Math.max(from[4] / r.width, from[5] / r.height);
    const dx = e.clientX - from[0], dy = e.clientY - from[1];
    if (Math.abs(dx) + Math.abs(dy) > 4) moved = true;
    view.box = [from[2] - dx * scale, from[3] - dy * scale, from[4], from[5]];
    view.apply();
  });
  window.addEventListener("pointerup", () => { from = null; });
  return view;
}

const views = new Map(pictures.map(svg => [svg, start(svg)]));
const actions = {
  "in": () => views.get(shown).zoom(0.8, 0.5, 0.5),
  "out": () => views.get(shown).zoom(1.25, 0.5, 0.5),
  "all": () => { const v = views.get(shown); v.box = v.home.slice(); v.apply(); },
  "open": () => { const v = views.get(shown); v.closed.clear(); v.fold(); },
  "steps": () => {
    shown = pictures[(pictures.indexOf(shown) + 1) % pictures.length];
    for (const svg of pictures) svg.classList.toggle("hidden", svg !== shown);
  },
};
for (const b of document.querySelectorAll("button"))
  b.addEventListener("click", () => actions[b.dataset.action]());
window.addEventListener("keydown", e => {
  const name = { "+": "in", "=": "in", "-": "out", "0": "all" }[e.key];
  if (name) actions[name]();
});
"""


def html_of(graph: Graph, data: dict[str, Any], *, fold: bool = True) -> str:
    """A page with the graph; it is well-formed XML too."""
    rolled = picture(graph, fold)
    drawings = [draw(rolled, "graph", style=False)]
    notes = list(rolled.notes)
    repeats = any(box.times > 1 for box in rolled.boxes)
    if repeats and len(graph.nodes) <= MOST_BOXES:
        every_step = draw(picture(graph, fold=False), "steps", style=False)
        drawings.append(every_step.replace('class="graph"', 'class="graph hidden"', 1))
    drawn = {box.number for box in rolled.boxes}
    if len(graph.nodes) > MOST_BOXES:  # the page holds what it draws
        empty = {"operator": "", "names": [], "saved": []}
        data = {**data, "nodes": [n if i in drawn else empty for i, n in enumerate(data["nodes"])]}
    buttons = [("in", "Zoom in (+)"), ("out", "Zoom out (-)"), ("all", "Whole graph (0)")]
    buttons.append(("open", "Unfold all"))
    if len(drawings) > 1:
        buttons.append(("steps", "Every step of loops"))
    bar = "".join(f'<button data-action="{action}">{text}</button>' for action, text in buttons)
    hint = "click an operator to fold what it was made from; drag to move, wheel to zoom"
    names = [name for root in graph.roots for name in graph.nodes[root].names[:1]]
    title = escape(f"graph of {', '.join(names)}" if names else "graph")
    text = json.dumps(data).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    remarks = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width"/>\n'
        f"<title>{title}</title>\n<style>{PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n"
        f"<header>{bar} {hint}{remarks}</header>\n<main>\n{''.join(drawings)}"
        '<div id="look" role="status"></div>\n</main>\n'
        f'<script type="application/json" id="data">{text}</script>\n'
        f"<script>\n//<![CDATA[{SCRIPT}//]]>\n</script>\n</body>\n</html>\n"
    )
