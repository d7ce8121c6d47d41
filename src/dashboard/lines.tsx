import { Box, Text, Transform } from 'ink';
import type { ReactElement } from 'react';

export interface LinesProps {
  /** Each of exactly `width` columns, with their escape codes. */
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

/**
 * Ready lines in a box of their size. Ink keeps every text that it has ever measured, for good: a
 * text that changes each second would fill the memory. What it measures here is always the same
 * blank, which is replaced on the way to the screen.
 */
export function Lines({ lines, width, height }: LinesProps): ReactElement {
  return (
    <Box width={width} height={height} flexShrink={0}>
      <Transform transform={(_, index) => lines[index] ?? ''}>
        <Text>{blank(height)}</Text>
      </Transform>
    </Box>
  );
}

function blank(height: number): string {
  return Array.from({ length: height }, () => ' ').join('\n');
}
