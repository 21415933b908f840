export * from './lib/image-link';
export * from './lib/image-loader';
export * from './lib/image.pipe';
