/**
 * Lets the search plugin's client search under `npm start`, too: it does so only where NODE_ENV is "production".
 *
 * @param {string} source - Its module `searchByWorker.js`.
 */
export default function searchClientLoader(source) {
  const condition = 'process.env.NODE_ENV === "production"';
  if (!source.includes(condition))
    throw new Error(
      `search-client-loader: ${this.resourcePath} has no "${condition}".\nFix: read how this version of the search plugin loads its index, and adapt src/search.`,
    );
  return source.replaceAll(condition, "true");
}
