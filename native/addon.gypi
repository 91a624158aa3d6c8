# Included by the two addons.
{
  "dependencies": ["sys", "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
  # Node unloads an addon with the last Worker that used it; a helper thread may still be in its code.
  "ldflags": ["-Wl,-z,nodelete"],
  "defines": [
    "NAPI_VERSION=9",
    "NODE_ADDON_API_DISABLE_DEPRECATED",
    "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
    "NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS"
  ]
}
