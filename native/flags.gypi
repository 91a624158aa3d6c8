# Included by every target: after Node's own common.gypi, so that these win.
{
  "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-fvisibility=hidden"],
  "ldflags": ["-Wl,-z,relro,-z,now"],
  "include_dirs": ["<(module_root_dir)/native"],
  "conditions": [["'<(sanitize)'!=''", {
    "cflags": ["-fsanitize=<(sanitize)", "-fno-omit-frame-pointer", "-g", "-O1"],
    "ldflags": ["-fsanitize=<(sanitize)"]
  }]]
}
