import { library, withDisposal } from "../../tsup.config.base.js";

export default library(["index", "attention", "shaders"], withDisposal);
