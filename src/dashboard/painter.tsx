import { Box, type DOMElement } from 'ink';
import { useLayoutEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';
import type { Size } from './layout.ts';

export interface PainterProps {
  readonly size: Size;
  /** Called with each picture: a string each line, escape codes in it. */
  readonly onPicture: (lines: readonly string[]) => void;
  readonly children: ReactNode;
}

/**
 * Takes Ink's place in turning its boxes into lines. Ink makes an object of every character and
 * looks at each again, which takes 80 ms a picture on a screen of 250 × 70; our boxes hold ready lines
 * that only need to be put side by side, which takes 1 ms.
 */
export function Painter({ size, onPicture, children }: PainterProps): ReactElement {
  const box = useRef<DOMElement>(null);
  const [ready, setReady] = useState(false);
  useLayoutEffect(() => {
    let root = box.current!;
    while (root.parentNode) root = root.parentNode;
    root.onRender = () => onPicture(paint(root));
    // Ink has drawn once before it could be stopped: an empty box, so that this costs nothing.
    setReady(true);
  }, [onPicture]);
  return (
    <Box
      ref={box}
      width={size.columns}
      height={ready ? size.rows : 0}
      flexDirection="column"
      flexShrink={0}
      overflow="hidden"
    >
      {ready ? children : null}
    </Box>
  );
}

interface Piece {
  readonly x: number;
  readonly width: number;
  readonly text: string;
}

/** @returns The lines of what stands in the boxes under a node. */
function paint(root: DOMElement): string[] {
  const lines: Piece[][] = [];
  collect(root, { x: 0, y: 0 }, lines);
  const height = root.yogaNode?.getComputedHeight() ?? 0;
  return Array.from({ length: height }, (_, index) => join(lines[index] ?? []));
}

function join(pieces: Piece[]): string {
  let line = '';
  let end = 0;
  for (const { x, width, text } of pieces.sort((a, b) => a.x - b.x)) {
    line += ' '.repeat(Math.max(0, x - end)) + text;
    end = x + width;
  }
  return line;
}

function collect(node: DOMElement, at: { x: number; y: number }, lines: Piece[][]): void {
  const { yogaNode } = node;
  if (!yogaNode) return;
  const x = at.x + yogaNode.getComputedLeft();
  const y = at.y + yogaNode.getComputedTop();
  if (node.nodeName === 'ink-text') {
    const height = yogaNode.getComputedHeight();
    const width = node.parentNode?.yogaNode?.getComputedWidth() ?? 0;
    for (let index = 0; index < height; index += 1) {
      const text = node.internal_transform?.('', index) ?? '';
      (lines[y + index] ??= []).push({ x, width, text });
    }
    return;
  }
  for (const child of node.childNodes) {
    if (child.nodeName !== '#text') collect(child, { x, y }, lines);
  }
}
