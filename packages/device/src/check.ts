export { checkCases } from "./check/cases.js";
export {
  checkSubjects,
  type CheckOptions,
  type CheckReport,
  type CheckResult,
} from "./check/check-subjects.js";
export { checkText } from "./check/check-text.js";
export { deviceSubject } from "./check/device-subject.js";
export type { AttentionInputs, CheckCase, ProductInputs, Subject } from "./check/subject.js";
