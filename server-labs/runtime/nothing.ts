// The smallest module: importing it makes Node's loader ready for the next one (prime.ts).
export {};
