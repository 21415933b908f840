// SPDX-License-Identifier: Apache-2.0
import { Directive, ElementRef, inject, signal } from '@angular/core';

type Ground = 'none' | 'light' | 'dark';

const SIDE = 24;
// Between the luminances of the two chequers; a picture gets the one it contrasts with more.
const MIDDLE = 0.18;
let canvas: CanvasRenderingContext2D | null = null;

/**
 * Puts a chequer behind a picture that has loaded, so that transparent parts can be seen: a dark one behind
 * light pictures and a light one behind dark pictures. Placeholders, which are data: URLs, have none.
 */
@Directive({
  selector: 'img[gPictureGround]',
  host: {
    '(load)': 'measure()',
    '(error)': 'ground.set("none")',
    '[class.g-chequer]': 'ground() !== "none"',
    '[class.g-chequer-dark]': 'ground() === "dark"',
  },
})
export class PictureGround {
  private readonly image = inject<ElementRef<HTMLImageElement>>(ElementRef).nativeElement;
  protected readonly ground = signal<Ground>('none');

  protected measure(): void {
    this.ground.set(this.image.src.startsWith('data:') ? 'none' : groundFor(this.image));
  }
}

function groundFor(image: HTMLImageElement): Ground {
  canvas ??= Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE }).getContext('2d', { willReadFrequently: true });
  if (!canvas) {
    return 'light';
  }
  try {
    canvas.clearRect(0, 0, SIDE, SIDE);
    canvas.drawImage(image, 0, 0, SIDE, SIDE);
    const { data } = canvas.getImageData(0, 0, SIDE, SIDE);
    let sum = 0;
    let weight = 0;
    for (let i = 0; i < data.length; i += 4) {
      sum += luminance(data[i], data[i + 1], data[i + 2]) * data[i + 3];
      weight += data[i + 3];
    }
    return weight > 0 && sum / weight > MIDDLE ? 'dark' : 'light';
  } catch {
    // A drawing that the browser shows but does not let scripts read.
    return 'light';
  }
}

// As WCAG 2 defines it.
function luminance(r: number, g: number, b: number): number {
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function linear(value: number): number {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}
