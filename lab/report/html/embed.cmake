# SPDX-License-Identifier: PostgreSQL
# cmake -D DIR=... -D OUT=... -P embed.cmake: page.html, page.css and page.js as C arrays with a closing NUL.
set(c "// made by embed.cmake from page.html, page.css and page.js\n")
foreach(ext html css js)
  file(READ "${DIR}/page.${ext}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND c "extern const unsigned char html_template_${ext}[];\nconst unsigned char html_template_${ext}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE "${OUT}" "${c}")
