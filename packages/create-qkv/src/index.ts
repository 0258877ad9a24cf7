export { createProject, type CreatedProject, type CreateOptions } from "./create-project.js";
export { templates, type ProjectTemplate } from "./templates.js";
