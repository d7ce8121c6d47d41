/** @returns What stands under a command's help: its examples, without the program's name in them. */
export function examples(...lines: string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  jairouter ${line}`)].join('\n');
}
