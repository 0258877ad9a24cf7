export { animatedSvg } from "./figures/animated-svg.js";
export { between } from "./figures/between.js";
export type {
  Control,
  Figure,
  FigureChoices,
  FigureTable,
  FormulaPart,
  Moment,
  Press,
  Step,
} from "./figures/figure.js";
export type { Ask } from "./figures/ask.js";
export { figureElement, type FigureElement } from "./figures/figure-element.js";
export {
  fileIntake,
  type FileIntake,
  type FileIntakeOptions,
  type GivenFiles,
  type IntakeView,
} from "./figures/file-intake.js";
export type { Mark, Scene } from "./figures/mark.js";
export { fromPermalink, toPermalink, type Permalink } from "./figures/permalink.js";
export { moment, player, type Player, type PlayerAction, type PlayerState } from "./figures/player.js";
export { figureSvg, sceneSvg } from "./figures/scene-svg.js";
export type { ThemeName } from "./palette.js";
