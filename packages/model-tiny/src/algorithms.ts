export { bracketModel, palindromeModel, sortingModel } from "./algorithm-models.js";
