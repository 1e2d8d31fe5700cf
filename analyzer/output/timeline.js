"use strict";
/*
 * Inside the SVG. The items are in the element "data": of each row flat numbers, gap since the item before and length, then of one call its name and
 * 4 * site + end, of a run -calls, time in them, name or 0, time of that name, longest. Any part of it is drawn anew from them; what is narrower than
 * a pixel is merged with what falls into the same one.
 */
(function () {
  var svg = document.documentElement, data = null, from = 0, to = 1, test = null, drag = null;
  var left, plot, header, rowHeight, gap, footer, colors, height;
  var ends = ["", "no exit was seen", "cut by a loss", "still open at the end"];

  function id(name) { return document.getElementById(name); }

  function human(value) {
    if (data.unit !== "ns") return Math.round(value).toLocaleString("en") + " ticks";
    var units = ["ns", "us", "ms", "s"], unit = 0;
    while (unit < 3 && value >= 999.95) { value /= 1000; unit++; }
    return (value === 0 ? "0" : unit === 0 ? String(Math.round(value)) : value.toPrecision(4)) + (value === 0 ? "" : " " + units[unit]);
  }

  function colorOf(name) {
    var hash = 2166136261, bytes = new TextEncoder().encode(name);
    for (var i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 16777619) >>> 0;
    hash = (hash ^ (hash >>> 15)) >>> 0;
    return hash % colors;
  }

  function decode(numbers) {
    var items = [], at = 0, i = 0;
    while (i < numbers.length) {
      var item = { s: at + numbers[i], calls: 1, busy: numbers[i + 1] };
      at = item.e = item.s + numbers[i + 1];
      if (numbers[i + 2] >= 0) {
        item.name = numbers[i + 2]; item.site = numbers[i + 3] >> 2; item.end = numbers[i + 3] & 3;
        i += 4;
      } else {
        item.calls = -numbers[i + 2]; item.busy = numbers[i + 3]; item.name = numbers[i + 4]; item.share = numbers[i + 5]; item.longest = numbers[i + 6];
        i += 7;
      }
      items.push(item);
    }
    return items;
  }

  /* The first item that ends after time. */
  function first(items, time) {
    var low = 0, high = items.length;
    while (low < high) {
      var middle = (low + high) >> 1;
      if (items[middle].e > time || (items[middle].e === time && items[middle].s === time)) high = middle; else low = middle + 1;
    }
    return low;
  }

  function bar(paths, item, run, x, w, y) {
    var key = item && test && item.name && test[item.name] ? "match" : "c" + (item && item.name ? data.colors[item.name] : colors);
    if (run) key += " r";
    if (w > 3) w -= 0.3;
    (paths[key] = paths[key] || []).push("M" + x.toFixed(2) + " " + y + "h" + w.toFixed(2) + "v" + (rowHeight - 1) + "H" + x.toFixed(2) + "z");
  }

  function drawRow(items, y, paths, labels) {
    var scale = plot / (to - from), narrow = null;
    function flush() {
      if (narrow) bar(paths, narrow.item, true, left + narrow.x, narrow.end - narrow.x, y);
      narrow = null;
    }
    for (var i = first(items, from); i < items.length && items[i].s < to; i++) {
      var item = items[i], a = Math.max(0, (item.s - from) * scale), b = Math.min(plot, (item.e - from) * scale);
      if (b - a < 1) {
        var pixel = Math.floor(a), end = Math.min(plot, Math.max(pixel + 1, Math.ceil(b)));
        if (narrow && (a >= narrow.end || item.busy > narrow.item.busy * 64)) flush();
        if (!narrow) narrow = { x: pixel, end: end, item: item };
        narrow.end = Math.max(narrow.end, end);
        if (item.busy >= narrow.item.busy) narrow.item = item;
        continue;
      }
      flush();
      bar(paths, item, item.calls > 1, left + a, b - a, y);
      if (b - a >= 40 && (item.calls === 1 || item.name)) {
        var run = item.calls > 1 ? "~ " : "";
        labels.push([left + a + 3, y + 11, run + fitName(data.names[item.name - 1], Math.floor((b - a - 6) / 6.65) - run.length)]);
      }
    }
    flush();
  }

  function element(parent, tag, attributes, text) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (var key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function clear(node) { while (node.firstChild) node.removeChild(node.firstChild); }

  function drawAxis() {
    var axis = id("axis"), step = 1, span = to - from;
    clear(axis);
    for (var i = 0; span / step > 12; i++) step = i % 3 === 1 ? step / 2 * 5 : step * 2;
    for (var at = Math.ceil((data.offset + from) / step) * step, n = 0; at <= data.offset + to && n < 20; at += step, n++) {
      var x = (left + (at - data.offset - from) / span * plot).toFixed(2);
      element(axis, "path", { "class": "grid", d: "M" + x + " " + (header - 6) + "V" + (height - footer) });
      element(axis, "text", { "class": "small", x: x, y: header - 10, "text-anchor": "middle" }, axisText(at, step));
    }
  }

  /* As many digits as neighbours need to differ. */
  function axisText(at, step) {
    if (data.unit !== "ns" || at === 0) return human(at);
    var units = ["ns", "us", "ms", "s"], unit = 0, scale = 1;
    while (unit < 3 && at / scale >= 1000) { scale *= 1000; unit++; }
    return (at / scale).toFixed(Math.max(0, Math.min(9, Math.ceil(Math.log10(scale / step) - 1e-9)))) + " " + units[unit];
  }

  function draw() {
    var paths = {}, labels = [], y = header, calls = id("calls");
    data.threads.forEach(function (thread) {
      thread.y = y;
      thread.rows.forEach(function (items, depth) { drawRow(items, y + depth * rowHeight, paths, labels); });
      y += Math.max(1, thread.rows.length) * rowHeight + gap;
    });
    clear(calls);
    Object.keys(paths).sort().forEach(function (key) { element(calls, "path", { "class": key, d: paths[key].join("") }); });
    labels.forEach(function (label) { element(calls, "text", { x: label[0].toFixed(2), y: label[1] }, label[2]); });
    document.querySelectorAll("#threads .mark").forEach(function (mark, i) {
      var at = data.marks[i];
      mark.classList.toggle("gone", at < from || at > to);
      mark.setAttribute("d", mark.getAttribute("d").replace(/^M\S+/, "M" + (left + (at - from) / (to - from) * plot).toFixed(2)));
    });
    drawAxis();
    id("reset").classList.toggle("gone", from === 0 && to === data.span);
  }

  function zoom(a, b) {
    var span = Math.min(data.span, Math.max(b - a, Math.min(10, data.span)));
    a = Math.max(0, Math.min(a, data.span - span));
    from = a;
    to = a + span;
    draw();
  }

  function reset() { zoom(0, data.span); }

  function at(x, y) {
    if (x < left || x > left + plot) return null;
    var time = from + (x - left) / plot * (to - from), slack = (to - from) / plot, found = null;
    data.threads.forEach(function (thread) {
      var row = thread.rows[Math.floor((y - thread.y) / rowHeight)];
      if (y < thread.y || !row) return;
      for (var i = first(row, time - slack); i < row.length && row[i].s <= time + slack; i++) {
        var item = row[i], inside = item.s <= time && time <= item.e;
        if (inside || !found || (!found.inside && item.busy > found.item.busy)) found = { item: item, thread: thread, inside: inside };
        if (inside) break;
      }
    });
    return found;
  }

  function describe(found) {
    if (!found) return "";
    var item = found.item, parts = [];
    if (item.calls === 1) {
      parts.push(item.name ? data.names[item.name - 1] : "?", human(item.e - item.s));
      if (ends[item.end]) parts.push(ends[item.end]);
    } else {
      parts.push(item.calls.toLocaleString("en") + " calls, " + human(item.busy) + " in them, the longest " + human(item.longest));
      parts.push(item.name ? "mostly " + data.names[item.name - 1] + " (" + (100 * item.share / Math.max(1, item.busy)).toFixed(0) + " % or more)" : "of several functions");
    }
    parts.push("at " + human(data.offset + item.s), found.thread.name);
    if (item.site) parts.push("called from " + data.sites[item.site - 1]);
    return parts.join("  \u00b7  ");
  }

  function search(text) {
    var pattern, calls = 0;
    test = null;
    if (text) {
      var flags = /[A-Z]/.test(text) ? "" : "i";
      try { pattern = new RegExp(text, flags); } catch (e) { pattern = new RegExp(text.replace(/[^A-Za-z0-9_ ]/g, "\\$&"), flags); }
      test = [false].concat(data.names.map(function (name) { return pattern.test(name); }));
      data.threads.forEach(function (thread) {
        thread.rows.forEach(function (row) { row.forEach(function (item) { if (test[item.name]) calls++; }); });
      });
    }
    id("matched").textContent = text ? "matched: " + calls.toLocaleString("en") + (calls === 1 ? " bar" : " bars") : "";
    draw();
  }

  function point(event) {
    var p = svg.createSVGPoint();
    p.x = event.clientX; p.y = event.clientY;
    return p.matrixTransform(svg.getScreenCTM().inverse());
  }

  function start() {
    data = JSON.parse(id("data").textContent);
    left = Number(svg.getAttribute("data-left")); plot = Number(svg.getAttribute("data-plot")); header = Number(svg.getAttribute("data-header"));
    rowHeight = Number(svg.getAttribute("data-row")); gap = Number(svg.getAttribute("data-gap")); footer = Number(svg.getAttribute("data-footer"));
    colors = Number(svg.getAttribute("data-colors")); height = Number(svg.getAttribute("height"));
    data.marks = [];
    data.threads.forEach(function (thread) {
      thread.rows = thread.rows.map(decode);
      for (var i = 0; i < thread.marks.length; i += 2) data.marks.push(thread.marks[i]);
    });
    data.colors = [colors].concat(data.names.map(colorOf));
    to = data.span;
    id("interactive").classList.remove("gone");
    id("hint").classList.remove("gone");
    draw();
    svg.addEventListener("wheel", function (event) {
      var p = point(event);
      if (p.x < left || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      var time = from + (Math.min(p.x, left + plot) - left) / plot * (to - from), factor = event.deltaY < 0 ? 0.8 : 1.25;
      zoom(time - (time - from) * factor, time - (time - from) * factor + (to - from) * factor);
    }, { passive: false });
    svg.addEventListener("mousedown", function (event) { drag = { x: point(event).x, from: from, span: to - from, moved: false }; });
    window.addEventListener("mouseup", function () { if (drag && !drag.moved) drag = null; });
    svg.addEventListener("mousemove", function (event) {
      var p = point(event);
      if (drag && event.buttons === 1) {
        if (Math.abs(p.x - drag.x) > 3) drag.moved = true;
        if (drag.moved) zoom(drag.from - (p.x - drag.x) / plot * drag.span, drag.from - (p.x - drag.x) / plot * drag.span + drag.span);
        return;
      }
      id("details").textContent = describe(at(p.x, p.y));
    });
    svg.addEventListener("click", function (event) {
      if (drag && drag.moved) { drag = null; return; }
      if (event.target.closest && event.target.closest("#reset")) { reset(); return; }
      var p = point(event), found = at(p.x, p.y);
      if (found) zoom(found.item.s - (found.item.e - found.item.s) * 0.02, found.item.e + (found.item.e - found.item.s) * 0.02);
    });
    id("search").addEventListener("input", function () { search(id("search").value); });
    window.addEventListener("keydown", function (event) {
      var input = id("search"), typing = document.activeElement === input, span = to - from;
      if ((event.ctrlKey || event.metaKey) && event.key === "f" && !typing) {
        event.preventDefault();
        input.focus();
        input.select();
      } else if (event.key === "Escape") {
        if (input.value) { input.value = ""; search(""); } else reset();
      } else if (!typing && event.key === "ArrowLeft") zoom(from - span / 4, to - span / 4);
      else if (!typing && event.key === "ArrowRight") zoom(from + span / 4, to + span / 4);
      else if (!typing && event.key === "+") zoom(from + span / 4, to - span / 4);
      else if (!typing && event.key === "-") zoom(from - span / 2, to + span / 2);
    });
  }

  /* For tests and for those who script it. */
  window.cprof = { zoom: zoom, reset: reset, search: search, at: function (x, y) { return describe(at(x, y)); } };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
