"use strict";
/* Inside the SVG. Frames are <g data-s="start" data-t="total"> in ticks, so zooming is exact; their <title> begins with the name. */
(function () {
  var svg = document.documentElement, all = [], width = 0, margin = 0, total = 1, shown = null, term = "";
  var details, input, matched;

  function id(name) { return document.getElementById(name); }

  function label(frame, pixels) {
    frame.text.textContent = fitName(frame.name, Math.floor((pixels - 6) / 7.25));
  }

  function zoom(start, span) {
    shown = { s: start, t: span };
    all.forEach(function (frame) {
      var left = Math.max(frame.s, start), right = Math.min(frame.s + frame.t, start + span);
      var outside = right <= left, above = frame.t > span && !outside;
      frame.g.classList.toggle("gone", outside);
      frame.g.classList.toggle("above", above);
      if (outside) return;
      var x = margin + (left - start) / span * width, w = (right - left) / span * width;
      frame.rect.setAttribute("x", x.toFixed(2));
      frame.rect.setAttribute("width", w.toFixed(2));
      frame.text.setAttribute("x", (x + 3).toFixed(2));
      label(frame, w);
    });
    id("reset").classList.toggle("gone", start === 0 && span === total);
  }

  function reset() { zoom(0, total); }

  function search(text) {
    var test = null, sum = 0, end = -1;
    term = text;
    if (text) {
      var flags = /[A-Z]/.test(text) ? "" : "i";
      try { test = new RegExp(text, flags); } catch (e) { test = new RegExp(text.replace(/[^A-Za-z0-9_ ]/g, "\\$&"), flags); }
    }
    /* Frames are in preorder: what starts before the end of the last match counted is inside it. */
    all.forEach(function (frame) {
      var hit = test !== null && !frame.root && test.test(frame.name);
      frame.g.classList.toggle("match", hit);
      if (hit && frame.s >= end) { sum += frame.t; end = frame.s + frame.t; }
    });
    matched.textContent = test ? "matched: " + (100 * sum / total).toFixed(1) + " %" : "";
  }

  function describe(target) {
    var g = target.closest ? target.closest("g.f") : null;
    details.textContent = g ? g.querySelector("title").textContent.replace(/\n/g, "  \u00b7  ") : "";
  }

  function start() {
    details = id("details"); input = id("search"); matched = id("matched");
    width = Number(svg.getAttribute("data-width")); margin = Number(svg.getAttribute("data-margin"));
    total = Math.max(1, Number(svg.getAttribute("data-total")));
    document.querySelectorAll("g.f").forEach(function (g) {
      var name = g.querySelector("title").textContent.split("\n")[0];
      all.push({ g: g, rect: g.querySelector("rect"), text: g.querySelector("text"), name: name,
        s: Number(g.getAttribute("data-s")), t: Number(g.getAttribute("data-t")), root: all.length === 0 });
    });
    svg.addEventListener("click", function (event) {
      var g = event.target.closest ? event.target.closest("g.f") : null;
      if (g) zoom(Number(g.getAttribute("data-s")), Math.max(1, Number(g.getAttribute("data-t"))));
      else if (event.target.closest && event.target.closest("#reset")) reset();
    });
    svg.addEventListener("mouseover", function (event) { describe(event.target); });
    input.addEventListener("input", function () { search(input.value); });
    window.addEventListener("keydown", function (event) {
      if ((event.ctrlKey || event.metaKey) && event.key === "f" && document.activeElement !== input) {
        event.preventDefault();
        input.focus();
        input.select();
      } else if (event.key === "Escape") {
        if (term) { input.value = ""; search(""); } else reset();
      }
    });
    id("interactive").classList.remove("gone");
  }

  /* For tests and for those who script it. */
  window.cprof = { zoom: zoom, reset: reset, search: search };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
