import { moonshine } from "./moonshine.js";
import type { SpeechArchitecture } from "./speech-architecture.js";
import { whisper } from "./whisper.js";

/** The supported speech models. To add one, add a file and a line here. */
export const speechArchitectures: readonly SpeechArchitecture[] = [moonshine, whisper];
