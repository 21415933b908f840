// SPDX-License-Identifier: Apache-2.0
export * from './lib/image-link';
export * from './lib/image-loader';
export * from './lib/image.pipe';
