# Completes jairouter in fish:
#   jairouter completion fish > ~/.config/fish/completions/jairouter.fish
function __jairouter_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (jairouter __complete -- $words[2..-1] 2> /dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c jairouter -f -a '(__jairouter_complete)'
