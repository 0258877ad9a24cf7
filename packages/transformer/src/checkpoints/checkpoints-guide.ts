/** The page that lists all architectures, for messages. */
export const checkpointsGuide = 'the guide "Run a checkpoint from Hugging Face"';
