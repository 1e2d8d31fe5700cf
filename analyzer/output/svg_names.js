"use strict";
/* For the scripts of both pictures: what of a C++ name fits, as text_fit_name() chooses it. Full names are in the titles. */
var fitName = (function () {
  var signs = ["()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "->", "<=", ">=", "<", ">"], anonymous = "(anonymous namespace)", mark = "\u2026";

  /* Behind the bracket that closes the one at start; -1: none does. */
  function closed(name, start) {
    var open = name[start], close = { "(": ")", "{": "}", "<": ">" }[open], depth = 0, parentheses = 0;
    for (var i = start; i < name.length; i++) {
      if (open === "<" && (name[i] === "(" || name[i] === ")")) {
        if (name[i] === ")" && !parentheses) return -1;
        parentheses += name[i] === "(" ? 1 : -1;
      } else if (!parentheses && name[i] === open) depth++;
      else if (!parentheses && name[i] === close && (open !== "<" || name[i - 1] !== "-") && --depth === 0) return i + 1;
    }
    return -1;
  }

  function operatorLength(name, at) {
    if (!name.startsWith("operator", at) || /\w/.test(name[at + 8] || "") || (at && /\w/.test(name[at - 1]))) return 0;
    var sign = signs.find(function (sign) { return name.startsWith(sign, at + 8); });
    return 8 + (sign ? sign.length : 0);
  }

  /* Without parameters, template arguments and return type; null when the name is not understood. */
  function shorten(name) {
    var text = "", word = 0, i = 0;
    while (i < name.length) {
      var copied = operatorLength(name, i), isOperator = copied > 0;
      if (!copied && name.startsWith(anonymous, i)) copied = anonymous.length;
      if (!copied && name[i] === "(" && word >= 0) {
        text = text.slice(word);
        word = -1;
      }
      if (!copied && "({<".indexOf(name[i]) >= 0) {
        var end = closed(name, i);
        if (end < 0) return null;
        if (name[i] !== "{" && end - i > 2) {
          text += name[i] + mark + name[end - 1];
          i = end;
          continue;
        }
        copied = end - i;
      }
      copied = copied || 1;
      if (isOperator && name[i + copied] === " ") copied++;
      text += name.slice(i, i + copied);
      i += copied;
      if (name[i - 1] === " " && !isOperator && word >= 0) word = text.length;
    }
    return text;
  }

  /* Where what is behind the outermost scope begins; -1: there is none. */
  function inner(text) {
    for (var i = 0; i < text.length && !operatorLength(text, i); i++) {
      if (text.startsWith("::", i)) return i + 2 < text.length ? i + 2 : -1;
      if ("({<".indexOf(text[i]) < 0) continue;
      var end = closed(text, i);
      if (end < 0 || (text[i] === "(" && !text.startsWith(anonymous, i))) return -1;
      i = end - 1;
    }
    return -1;
  }

  return function (name, room) {
    if (Array.from(name).length <= room) return name;
    if (room < 3) return "";
    var text = shorten(name), scopes = 0, next;
    if (text === null) text = name;
    while (Array.from(text).length + (scopes ? 1 : 0) > room && (next = inner(text)) > 0) {
      text = text.slice(next);
      scopes++;
    }
    var letters = Array.from(text);
    if (letters.length + (scopes ? 1 : 0) <= room) return (scopes ? mark : "") + text;
    return letters.slice(0, room - 1).join("") + mark;
  };
})();
