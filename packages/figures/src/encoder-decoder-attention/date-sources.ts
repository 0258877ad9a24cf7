/** The three date formats that the translator was trained on. */
function datePatterns(months: readonly string[]): RegExp[] {
  const name = `(?<name>${months.join("|")})`;
  const [day, year] = [String.raw`(?<day>\d{1,2})`, String.raw`(?<year>\d{4})`];
  return [
    new RegExp(`^${day} ${name} ${year}$`),
    new RegExp(`^${name} ${day}, ${year}$`),
    new RegExp(String.raw`^(?<day>\d{2})\.(?<month>\d{2})\.${year}$`),
  ];
}

/** Parses a date from 1900 to 2099 in one of the three formats, to "1979-05-03". Returns undefined for other texts. */
export function isoDate(source: string): string | undefined {
  const months =
    "January February March April May June July August September October November December".split(" ");
  for (const pattern of datePatterns(months)) {
    const found = pattern.exec(source)?.groups;
    if (!found) continue;
    const month = found["name"] === undefined ? Number(found["month"]) : months.indexOf(found["name"]) + 1;
    const text = [found["year"], String(month).padStart(2, "0"), found["day"]!.padStart(2, "0")].join("-");
    const date = new Date(`${text}T00:00:00Z`);
    const isDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
    return isDay && /^(19|20)/.test(text) ? text : undefined;
  }
  return undefined;
}
