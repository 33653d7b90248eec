"use strict";
// Two pictures on top of one another; the upper one is cut at the line, which a range input over both of them moves.
for (const figure of document.querySelectorAll(".compare")) {
  const pictures = JSON.parse(figure.querySelector("script").textContent);
  const slider = figure.querySelector("input");
  const line = figure.querySelector(".line");
  for (const side of ["left", "right"]) {
    const image = figure.querySelector("img." + side);
    const choice = figure.querySelector("select." + side);
    const show = () => {
      image.src = pictures[choice.value];
      image.alt = choice.selectedOptions[0].textContent;
    };
    choice.addEventListener("change", show);
    show();
  }
  const divide = () => {
    figure.querySelector("img.left").style.clipPath = `inset(0 ${100 - slider.value}% 0 0)`;
    line.style.left = slider.value + "%";
  };
  slider.addEventListener("input", divide);
  divide();
}
