/** @returns The first syntax error of a JSON text, in JSON's own terms; `undefined`: there is none. */
export function jsonMistake(text: string): { offset: number; message: string } | undefined {
  for (const match of text.matchAll(/"(?:\\.|[^"\\])*"|(?<=^|[\s,[\]{}])\/[/*]/g)) {
    if (match[0].startsWith('/'))
      return {
        offset: match.index,
        message: 'JSON has no comments; leave it out, or write the config in YAML or TypeScript',
      };
  }
  try {
    JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    // Newer versions of Node name the line too.
    const [, what, at] = /^(.*?) in JSON at position (\d+)/s.exec(message) ?? [];
    if (what !== undefined && at !== undefined) return { offset: Number(at), message: what };
    if (message.includes('end of JSON'))
      return { offset: text.trimEnd().length, message: 'the file ends too soon' };
  }
  return undefined;
}
