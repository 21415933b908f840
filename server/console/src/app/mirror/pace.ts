// SPDX-License-Identifier: Apache-2.0
import { Mirror } from '../core/model';

interface Sample {
  /** Milliseconds. */
  readonly time: number;
  readonly images: number;
  readonly bytes: number;
}

const LONGEST = 30_000;
const SHORTEST = 900;

/**
 * How fast a copy or a verification proceeds, measured over the last half minute. Another run, and another kind of
 * work, begin a new measurement.
 */
export class Pace {
  private samples: Sample[] = [];
  private work = '';

  note(mirror: Mirror, time: number): void {
    const work = `${mirror.run} ${mirror.state} ${mirror.verifying}`;
    const sample = { time, images: mirror.images?.done ?? 0, bytes: mirror.bytes?.done ?? 0 };
    const last = this.samples.at(-1);
    if (work !== this.work || (last && (sample.images < last.images || sample.bytes < last.bytes))) {
      this.samples = [];
      this.work = work;
    }
    this.samples.push(sample);
    // One older sample stays, so that the measurement spans the whole time.
    while (this.samples.length > 2 && time - this.samples[1].time >= LONGEST) {
      this.samples.shift();
    }
  }

  /** Null until it can be measured. */
  bytesPerSecond(): number | null {
    return this.perSecond((sample) => sample.bytes);
  }

  /** Null if it cannot be estimated. Bytes take the time; a store of empty images has none. */
  secondsLeft({ images, bytes }: Mirror): number | null {
    const part = bytes && bytes.total > 0 ? bytes : images;
    const speed = this.perSecond(part === bytes ? (sample) => sample.bytes : (sample) => sample.images);
    return part && speed ? (part.total - part.done) / speed : null;
  }

  private perSecond(of: (sample: Sample) => number): number | null {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (!first || !last || last.time - first.time < SHORTEST) {
      return null;
    }
    return ((of(last) - of(first)) * 1000) / (last.time - first.time);
  }
}
