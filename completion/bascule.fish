# SPDX-License-Identifier: PostgreSQL
# fish: the words of bash's completion, so that there is one list. `make install` puts this file into vendor_completions.d; by hand:
#   source completion/bascule.fish
set -g __bascule_folder (status dirname)

function __bascule_words
    for file in $__bascule_folder/bascule.bash $__bascule_folder/../../bash-completion/completions/bascule
        if test -r $file
            bash $file (commandline -opc) (commandline -ct) 2>/dev/null
            return
        end
    end
end
complete -c bascule -f -a '(__bascule_words)'
complete -c bascule -F -n '__fish_seen_subcommand_from run up check replay report top compare image matrix'
