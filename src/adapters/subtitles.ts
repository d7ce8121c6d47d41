/** A piece of speech; times in seconds from the start. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Cues as SubRip (`.srt`). */
export function renderSrt(cues: readonly Cue[]): string {
  return cues
    .map(
      (cue, index) =>
        `${index + 1}\n${clock(cue.start, ',')} --> ${clock(cue.end, ',')}\n${line(cue.text)}\n\n`,
    )
    .join('');
}

/** Cues as WebVTT. */
export function renderVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(
    (cue) => `${clock(cue.start, '.')} --> ${clock(cue.end, '.')}\n${line(cue.text)}\n\n`,
  );
  return `WEBVTT\n\n${blocks.join('')}`;
}

/** `01:02:03,456`; whole milliseconds, so that a cue's end never rounds past the next one's start. */
function clock(seconds: number, separator: ',' | '.'): string {
  const total = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const [hours, minutes] = [total / 3_600_000, (total / 60_000) % 60];
  const milliseconds = String(total % 1000).padStart(3, '0');
  return `${two(hours)}:${two(minutes)}:${two((total / 1000) % 60)}${separator}${milliseconds}`;
}

/** An empty line would end the cue, an arrow would begin another. */
function line(text: string): string {
  return text
    .trim()
    .replace(/\r\n?/g, '\n')
    .replace(/\n\s*\n/g, '\n')
    .replaceAll('-->', '->');
}
