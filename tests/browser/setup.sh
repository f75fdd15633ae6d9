#!/bin/sh
# A Chromium for the tests, where there is none and one can be had.
for name in chromium chromium-browser google-chrome; do
  command -v $name >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null && exit 0
fi
echo "No Chromium is installed, so the tests with a browser are skipped (Debian: apt-get install chromium)." >&2
