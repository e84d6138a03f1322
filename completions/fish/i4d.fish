# SPDX-License-Identifier: Apache-2.0
# fish completion for i4d(8)

complete -c i4d -f
complete -c i4d -l config -r -F -d 'Settings'
complete -c i4d -l socket -r -F -d 'Where readers attach'
complete -c i4d -l directory -x -a '(__fish_complete_directories)' -d 'Where readings are kept'
complete -c i4d -l check -d 'Check the settings and exit'
complete -c i4d -l help -d 'Show the options'
complete -c i4d -l version -d 'Show the version'
