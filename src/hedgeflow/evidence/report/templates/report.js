(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var paper = window.matchMedia("print");
  var fine = window.matchMedia("(pointer: fine)").matches;
  var PRINT_WIDTH = 660;

  function resolved(value, styles) {
    if (typeof value === "string") {
      var name = /^var\((--[\w-]+)\)$/.exec(value);
      return name ? styles.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) {
      return value.map(function (item) { return resolved(item, styles); });
    }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = resolved(value[key], styles); });
      return copy;
    }
    return value;
  }

  function draw(printing) {
    var styles = getComputedStyle(root);
    document.querySelectorAll(".plot").forEach(function (element) {
      var source = document.getElementById(element.id + "-data");
      var spec = resolved(JSON.parse(source.textContent), styles);
      var width = printing ? PRINT_WIDTH : element.clientWidth;
      (spec.layout.annotations || []).forEach(function (note) {
        if (note.text === "SIMULATED") { note.font.size = Math.min(44, width / 13); }
      });
      spec.layout.height = Number(element.dataset.height);
      spec.layout.dragmode = fine ? "zoom" : false;
      if (printing) { spec.layout.width = PRINT_WIDTH; } else { spec.layout.autosize = true; }
      Plotly.react(element, spec.data, spec.layout, { responsive: true, displayModeBar: false });
    });
  }

  function print(on) {
    if (on) { root.dataset.print = "1"; } else { delete root.dataset.print; }
    draw(on);
  }

  draw(false);
  dark.addEventListener("change", function () { draw(false); });
  paper.addEventListener("change", function (event) { print(event.matches); });
  window.addEventListener("beforeprint", function () { print(true); });
  window.addEventListener("afterprint", function () { print(false); });
  root.dataset.drawn = "1";
})();
