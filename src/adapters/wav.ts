/**
 * @returns How long a RIFF/WAVE file plays, in seconds, from its header; `undefined` when it is
 *   another kind of file or its header is cut.
 */
export function wavDuration(file: Buffer): number | undefined {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF') return undefined;
  if (file.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= file.length;) {
    const kind = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    if (kind === 'fmt ' && at + 20 <= file.length) bytesPerSecond = file.readUInt32LE(at + 16);
    if (kind === 'data') {
      if (bytesPerSecond === 0) return undefined;
      // Recorders that stream write a length of 0 or of all ones: the file's own end counts then.
      const there = file.length - at - 8;
      return (length === 0 ? there : Math.min(length, there)) / bytesPerSecond;
    }
    // Chunks are padded to an even length.
    at += 8 + length + (length % 2);
  }
  return undefined;
}
