# SPDX-License-Identifier: PostgreSQL
# cmake -D DIR=... -D OUT=... -P embed.cmake: page.html, page.css and the scripts as C arrays with a closing NUL.
# The scripts are one on the page, in this order: every file may use what an earlier one defines, functions of any.
set(scripts words tools summary lanes timeline phases network data lesson events setup page)
file(READ "${DIR}/page.html" html HEX)
file(READ "${DIR}/page.css" css HEX)
set(js "")
foreach(name ${scripts})
  file(READ "${DIR}/${name}.js" part HEX)
  string(APPEND js "${part}")
endforeach()
set(c "// made by embed.cmake from lab/report/html\n")
foreach(ext html css js)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${${ext}}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND c "extern const unsigned char html_template_${ext}[];\nconst unsigned char html_template_${ext}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE "${OUT}" "${c}")
