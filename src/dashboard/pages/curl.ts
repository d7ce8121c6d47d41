import type { Line } from '../line.ts';
import { paragraph } from './page.ts';

/** A command that has been copied, to be read before it is run. */
export function curlLines(
  { command, remark }: { readonly command: string; readonly remark: string | undefined },
  width: number,
): readonly Line[] {
  return [
    ...paragraph(
      'It has been sent to the clipboard, if your terminal lets programs do that (OSC 52).',
      width,
      'faint',
    ),
    ...(remark === undefined ? [] : paragraph(remark, width, 'warn')),
    [],
    ...paragraph(command, width),
  ];
}
