export { check } from "./check.js";
export { choice } from "./choice.js";
export { fileField } from "./file-field.js";
export { connect, type ControlValue, type Host, type Message } from "./host.js";
export { print } from "./print.js";
export { show } from "./show.js";
export { slider, type SliderOptions } from "./slider.js";
export { textField } from "./text-field.js";
export { valueText } from "./value-text.js";
